"""The payment provider, spoken to without blocking."""

import httpx

from shop.models import Order

PROVIDER = "https://payments.example.com"


async def check_currency(currency: str) -> None:
    async with httpx.AsyncClient(base_url=PROVIDER) as client:
        answer = await client.get(f"/currencies/{currency}")
        answer.raise_for_status()


async def confirm(order: Order) -> None:
    async with httpx.AsyncClient(base_url=PROVIDER) as client:
        await client.post(f"/payments/{order.id}/confirm")


async def refund(order_id: int) -> bool:
    async with httpx.AsyncClient(base_url=PROVIDER) as client:
        answer = await client.post(f"/payments/{order_id}/refund")
    return answer.is_success
