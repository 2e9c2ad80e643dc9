"""A small shop: orders, products and invoices over HTTP."""
