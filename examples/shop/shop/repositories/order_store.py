"""Orders in the database."""

import psycopg

from shop import settings
from shop.models import Order


def fetch_order(order_id: int) -> Order | None:
    with psycopg.connect(settings.DATABASE) as connection:
        row = connection.execute(
            "SELECT id, customer, total, paid FROM orders WHERE id = %s", (order_id,)
        ).fetchone()
    return Order(*row) if row else None
