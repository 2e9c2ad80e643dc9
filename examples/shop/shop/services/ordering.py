"""What can be done with orders."""

from shop.models import Order
from shop.repositories import order_store


class UnknownOrder(LookupError):
    """There is no order of that number."""


def load_order(order_id: int) -> Order:
    order = order_store.fetch_order(order_id)
    if order is None:
        raise UnknownOrder(order_id)
    return order
