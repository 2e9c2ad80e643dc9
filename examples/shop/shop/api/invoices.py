"""Invoices, to download and by email."""

import asyncio

from fastapi import APIRouter, Response

from shop.models import Order
from shop.services import mail
from shop.services.invoices import render

router = APIRouter(prefix="/invoices")


@router.post("/pdf")
async def download_invoice(order: Order) -> Response:
    pdf = await asyncio.to_thread(render, order)
    return Response(pdf, media_type="application/pdf")


@router.post("/email")
async def email_invoice(order: Order) -> dict[str, bool]:
    pdf = await asyncio.to_thread(render(order))
    await mail.send(order.customer, "Your invoice", pdf)
    return {"sent": True}
