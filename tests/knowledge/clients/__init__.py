"""How to make each library's clients for a service that does not answer; `sweep.py` uses them.

A module has any of these:
* `RECEIVERS`: class as the catalogue names it -> what makes one of it for a service. All that the
  catalogue lists of the class is called on it; of an async class, all of its coroutines.
* `CALLS`: a function, class or method of the catalogue -> the whole call of it, for a service.
* `ARGUMENTS`: method -> the call of it on a receiver, where arguments cannot be made up.
* `LEFT_OUT`: method -> why it is not called here.
* `service`: what makes the service, where it is not `StandIn` without a word of any protocol.
* `PATIENCE`: seconds for a call to reach the service, where two are too many or too few.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def load(library: str) -> ModuleType | None:
    """The clients of a library; None where the library is not installed."""
    try:
        return importlib.import_module(f"knowledge.clients.{library}")
    except ImportError:
        return None
