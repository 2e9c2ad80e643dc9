"""What the shop talks about."""

from dataclasses import dataclass


@dataclass
class Order:
    id: int
    customer: str
    total: float
    paid: bool
