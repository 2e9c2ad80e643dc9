"""Whether the shop is open, and whether it can be supplied."""

import requests
from fastapi import APIRouter

from shop import settings

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready")
async def ready() -> dict[str, bool]:
    answer = requests.head(settings.SUPPLIER, timeout=1)
    return {"ready": answer.ok}
