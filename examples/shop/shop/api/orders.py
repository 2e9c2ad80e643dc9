"""Reading, pricing and cancelling orders."""

import time

import requests
from fastapi import APIRouter, HTTPException

from shop import settings
from shop.models import Order
from shop.services import payments
from shop.services.ordering import load_order

router = APIRouter(prefix="/orders")


@router.get("/{order_id}")
async def read_order(order_id: int) -> Order:
    order = load_order(order_id)
    if order.paid:
        await payments.confirm(order)
    return order


@router.get("/{total}/price")
async def read_price(total: float, currency: str = "EUR") -> dict[str, float]:
    await payments.check_currency(currency)
    rate = requests.get(f"{settings.RATES}/{currency}", timeout=5).json()["rate"]
    return {"total": total * rate}


@router.post("/{order_id}/cancel")
async def cancel_order(order_id: int) -> dict[str, bool]:
    for _ in range(3):
        if await payments.refund(order_id):
            return {"cancelled": True}
        time.sleep(0.5)
    raise HTTPException(503, "The payment provider does not answer")
