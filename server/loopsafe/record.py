"""What expressions and values are made of.

They hold each other, and type checkers compare tuples field by field, however deep: with named
tuples alone a check of this package takes half an hour instead of ten seconds. So a type checker
is told of classes like any other; what runs are named tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from typing_extensions import Self, dataclass_transform

    @dataclass_transform(frozen_default=True)
    class Record:
        """A named tuple: the annotated names of its class are its fields."""

        def __iter__(self) -> Iterator[Any]: ...

        def _replace(self, **changes: Any) -> Self: ...

else:
    from typing import NamedTuple as Record

__all__ = ["Record"]
