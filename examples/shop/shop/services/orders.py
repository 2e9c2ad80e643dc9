"""What can be done with orders."""

from shop.models import Order
from shop.repositories import orders as repository


class UnknownOrder(LookupError):
    """There is no order of that number."""


def load_order(order_id: int) -> Order:
    order = repository.fetch_order(order_id)
    if order is None:
        raise UnknownOrder(order_id)
    return order
