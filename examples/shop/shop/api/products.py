"""Products: endpoints that do it right."""

import httpx
import requests
from fastapi import APIRouter

from shop import settings

router = APIRouter(prefix="/products")


@router.get("/")
def search_products(query: str) -> list[dict[str, str]]:
    """A plain `def`: FastAPI runs it in a thread, where waiting disturbs nobody."""
    answer = requests.get(f"{settings.SUPPLIER}/products", params={"q": query}, timeout=5)
    return answer.json()


@router.get("/{product_id}/stock")
async def read_stock(product_id: int) -> dict[str, int]:
    async with httpx.AsyncClient(base_url=settings.SUPPLIER) as client:
        answer = await client.get(f"/products/{product_id}/stock")
    return answer.json()
