"""Where the shop finds its neighbours."""

import os

DATABASE = os.environ.get("SHOP_DATABASE", "postgresql://localhost/shop")
RATES = os.environ.get("SHOP_RATES", "https://rates.example.com")
SUPPLIER = os.environ.get("SHOP_SUPPLIER", "https://supplier.example.com")
