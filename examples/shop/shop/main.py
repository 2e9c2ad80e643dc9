"""The application: `uvicorn shop.main:app`."""

from fastapi import FastAPI

from shop.api import health, invoices, orders, products

app = FastAPI(title="Shop")
app.include_router(health.router)
app.include_router(orders.router)
app.include_router(invoices.router)
app.include_router(products.router)
