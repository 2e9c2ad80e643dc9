/** What the walkthrough opens: the usual mistakes of an endpoint, and what is none. */

export const SAMPLE = `"""What Loopsafe finds: rest the mouse on what is underlined, and press Ctrl+. there."""

import time

import requests
from fastapi import FastAPI

app = FastAPI()


def load_rate(currency: str) -> float:
    return requests.get(f"https://rates.example/{currency}", timeout=5).json()["rate"]


@app.get("/price")
async def read_price(total: float, currency: str = "EUR") -> float:
    return total * load_rate(currency)  # requests.get() in there: nobody else is served meanwhile


@app.post("/retry")
async def retry() -> None:
    for _ in range(3):
        time.sleep(0.5)  # blocks the event loop


@app.get("/plain")
def read_plain(currency: str = "EUR") -> float:
    return load_rate(currency)  # fine: FastAPI runs a plain def in its thread pool
`;
