"""Ollama's client and its twin."""

import ollama

RECEIVERS = {
    "ollama.Client": lambda at: ollama.Client(at.url, timeout=3),
    "ollama.AsyncClient": lambda at: ollama.AsyncClient(at.url, timeout=3),
}
