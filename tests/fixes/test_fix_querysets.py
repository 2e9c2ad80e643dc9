"""Querysets are gone through asynchronously: executed before and after, on a database of SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stall import module
from support import case

from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost

ITERATED = Blocking(
    name="django.db.models.QuerySet.__iter__",
    category="database",
    cost=Cost.STALL,
    twin="django.db.models.QuerySet.__aiter__",
    twin_is="iterator",
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A model with three rows; Django is told that a loop may block, as the text before does."""
    import django
    from django.conf import settings
    from django.db import connection, models

    database = Path(tmp_path_factory.mktemp("books")) / "books.sqlite3"
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database)}
    settings.configure(DATABASES={"default": sqlite}, INSTALLED_APPS=[])
    django.setup()

    class Book(models.Model):
        title = models.CharField(max_length=100)

        class Meta:
            app_label = "books"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with connection.schema_editor() as editor:
            editor.create_model(Book)
        for title in ("b", "c", "a"):
            Book.objects.create(title=title)
        yield Book
        connection.close()


@pytest.mark.parametrize(
    ("line", "callee"),
    [
        ("return [b.title for b in Book.objects.all()]", "Book.objects.all()"),
        ("return {b.pk: b.title for b in Book.objects.all()}", "Book.objects.all()"),
        ("return list(Book.objects.values_list('title', flat=True))", "list"),
        ("return set(Book.objects.values_list('title', flat=True))", "set"),
        ("return tuple(Book.objects.values_list('title', flat=True))", "tuple"),
        ("return dict(Book.objects.values_list('pk', 'title'))", "dict"),
        ("return sorted(Book.objects.all() if flag else (), key=lambda b: b.title)", "sorted"),
        ("for b in Book.objects.all():\n        found.append(b.title)", "Book.objects.all()"),
    ],
)
def test_the_result_is_the_same(book: Any, line: str, callee: str) -> None:
    text = f"async def main(flag=True):\n    {line}\n    return found\n"
    before = case(text, callee, ITERATED.name, code="blocking-database", blocking=ITERATED)
    after = before.after("with async for")
    results = []
    for version in (text, after):
        found: list[str] = []
        results.append(asyncio.run(module(version, Book=book, found=found).main()))
    assert results[0] == results[1]
    assert "async for" in after
    assert results[0]
