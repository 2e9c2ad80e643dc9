"""Loopsafe: finds calls that block the asyncio event loop, explains them and fixes them."""

__version__ = "0.1.0"
