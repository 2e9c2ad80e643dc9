"""Where imports go, and when a name that is there is good enough."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from support import case, check, everything

USE = "\n\nasync def f(u):\n    requests.get(u)\n"


def after(head: str, offload: str = "asyncio", **options: Any) -> str:
    """The head of a file after its call is moved to a thread, and the call."""
    text = textwrap.dedent(head).strip("\n") + USE
    result = case(text, "requests.get", offload=offload, **options).after("in a thread")
    top, _, bottom = result.partition("\n\nasync def f(u):\n")
    return top.rstrip("\n") + "\n\n" + bottom.strip()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("import asyncio", "import asyncio"),
        ("import asyncio as aio", "aio.to_thread"),
        ("from asyncio import to_thread", "to_thread"),
        ("from asyncio import to_thread as run", "run"),
        ("import asyncio.events", "asyncio.to_thread"),
    ],
)
def test_an_import_that_is_there_is_used(head: str, expected: str) -> None:
    call = "asyncio.to_thread" if expected == "import asyncio" else expected
    assert after(head) == f"{head}\n\nawait {call}(requests.get, u)"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("import requests", "import asyncio\n\nimport requests"),
        ("import abc\nimport zlib", "import abc\nimport asyncio\nimport zlib"),
        ("import abc\n\nimport requests", "import abc\nimport asyncio\n\nimport requests"),
        ("from abc import ABC", "import asyncio\nfrom abc import ABC"),
        ('"""Doc."""', '"""Doc."""\n\nimport asyncio'),
        ('"""Doc."""\nimport zlib', '"""Doc."""\nimport asyncio\nimport zlib'),
        ("# Licence.\n\nimport zlib", "# Licence.\n\nimport asyncio\nimport zlib"),
        ("#!/bin/sh\n# Licence.\nx = 1", "#!/bin/sh\n# Licence.\nimport asyncio\n\nx = 1"),
        (
            "from __future__ import annotations",
            "from __future__ import annotations\n\nimport asyncio",
        ),
        (
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport requests',
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport asyncio\n\nimport requests',
        ),
        ("import abc; import zlib", "import abc; import zlib\nimport asyncio"),
        ("import abc  # noqa\nx = 1", "import abc  # noqa\nimport asyncio\nx = 1"),
        ("import abc; x = '''\n'''", "import abc; x = '''\n'''\nimport asyncio"),
        ("__version__ = '1'\nimport abc", "__version__ = '1'\nimport abc\nimport asyncio"),
        ("from . import a", "import asyncio\n\nfrom . import a"),
        ("import requests\nimport time", "import asyncio\nimport requests\nimport time"),
        ("import requests\n\nimport abc", "import requests\n\nimport abc\nimport asyncio"),
        ("import abc\nx = 1\nimport zlib", "import abc\nimport asyncio\nx = 1\nimport zlib"),
        ("import abc, \\\n    array", "import abc, \\\n    array\nimport asyncio"),
    ],
)
def test_a_new_import_goes_where_isort_puts_it(head: str, expected: str) -> None:
    assert after(head) == f"{expected}\n\nawait asyncio.to_thread(requests.get, u)"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            "if TYPE_CHECKING:\n    import asyncio",
            "import asyncio\n\nif TYPE_CHECKING:\n    import asyncio",
        ),
        (
            "try:\n    import asyncio\nexcept ImportError:\n    asyncio = None",
            "from asyncio import to_thread\n\n"
            "try:\n    import asyncio\nexcept ImportError:\n    asyncio = None",
        ),
        ("asyncio = object()", "from asyncio import to_thread\n\nasyncio = object()"),
        ("from app import asyncio", "from asyncio import to_thread\n\nfrom app import asyncio"),
        (
            "asyncio = to_thread = 1",
            "from asyncio import to_thread as _to_thread\n\nasyncio = to_thread = 1",
        ),
        (
            "from x import *\nasyncio = print(to_thread)",
            "from asyncio import to_thread as _to_thread\n\n"
            "from x import *\nasyncio = print(to_thread)",
        ),
        (
            "from asyncio import Queue\nasyncio = 1",
            "from asyncio import Queue, to_thread\nasyncio = 1",
        ),
    ],
)
def test_a_name_that_may_mean_something_else_is_not_used(head: str, expected: str) -> None:
    result = after(head)
    name = "asyncio.to_thread"
    if "from asyncio" in result:
        name = "_to_thread" if "as _to_thread" in result else "to_thread"
    assert result == f"{expected}\n\nawait {name}(requests.get, u)"


def test_names_of_the_function_count() -> None:
    text = """
        import asyncio


        async def f(asyncio):
            requests.get(1)


        async def g():
            import asyncio as aio
            requests.get(2)


        async def h():
            if g:
                import asyncio
            requests.get(3)


        async def i():
            requests.get(4)
            import asyncio


        async def j():
            [requests.get(5) for asyncio in f]
    """
    calls = ["to_thread", "aio.to_thread", "to_thread", "to_thread", "to_thread"]
    for number, call in enumerate(calls):
        found = case(text, "requests.get", occurrence=number).after()
        assert f"await {call}(requests.get, {number + 1})" in found
        assert found.count("from asyncio import to_thread") == (call == "to_thread")


def test_a_method_of_the_same_name_shadows_nothing() -> None:
    text = """
        import asyncio


        class C:
            def asyncio(self): ...

            async def f(self):
                requests.get(1)
    """
    assert "await asyncio.to_thread(requests.get, 1)" in case(text, "requests.get").after()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            "from fastapi.concurrency import contextmanager_in_threadpool",
            "from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool",
        ),
        (
            "from fastapi.concurrency import (\n    a,\n    b,\n)",
            "from fastapi.concurrency import (\n    a,\n    b,\n    run_in_threadpool,\n)",
        ),
        (
            "from fastapi.concurrency import (\n    a,\n    b\n)",
            "from fastapi.concurrency import (\n    a,\n    b,\n    run_in_threadpool\n)",
        ),
        (
            "from fastapi.concurrency import (a, b)",
            "from fastapi.concurrency import (a, b, run_in_threadpool)",
        ),
        (
            "from fastapi.concurrency import a  # noqa",
            "from fastapi.concurrency import a  # noqa\n"
            "from fastapi.concurrency import run_in_threadpool",
        ),
        ("import fastapi", "import fastapi\nfrom fastapi.concurrency import run_in_threadpool"),
        (
            "from starlette.routing import Route",
            "from starlette.concurrency import run_in_threadpool\n"
            "from starlette.routing import Route",
        ),
    ],
)
def test_a_name_joins_the_import_of_its_module(head: str, expected: str) -> None:
    assert after(head, "starlette") == f"{expected}\n\nawait run_in_threadpool(requests.get, u)"


def test_an_import_joins_those_of_its_package_or_its_section() -> None:
    head = (
        "import abc\n\nimport yaml\nfrom fastapi import FastAPI\n\nfrom app.a import b\n"
        "from zoo import c"
    )
    own = frozenset({"app", "zoo"}).__contains__
    joined = "from fastapi import FastAPI\nfrom fastapi.concurrency import run_in_threadpool\n\n"
    found = after(head, "starlette", own=own)
    assert found.startswith(head.replace("from fastapi import FastAPI\n\n", joined))
    mixed = "import abc\nfrom app.a import b"
    found = after(mixed, "anyio", own=own)
    assert found.startswith("import abc\nimport anyio\nfrom app.a import b\n")
    head = head.replace("import yaml\nfrom fastapi import FastAPI\n\n", "")
    found = after(head, "anyio", own=own)
    assert found.startswith(head.replace("from app", "import anyio\n\nfrom app"))


def test_a_submodule_is_called_by_its_full_name_where_it_is_imported() -> None:
    head = "import fastapi.concurrency"
    call = "await fastapi.concurrency.run_in_threadpool(requests.get, u)"
    assert after(head, "starlette") == f"{head}\n\n{call}"


def test_line_ends_stay() -> None:
    text = f"import requests{USE}".replace("\n", "\r\n")
    context = case(text, "requests.get")
    result = context.after()
    assert result.startswith("import asyncio\r\n\r\nimport requests\r\n")
    assert "\n" not in result.replace("\r\n", "")


def test_a_file_without_a_last_line_end() -> None:
    found = case("async def f(u): requests.get(u)\nimport abc", "requests.get").after()
    assert found.startswith("import asyncio\n\nasync def f(u): await asyncio.to_thread(")
    found = case('"""D."""\nasync def f(u): requests.get(u)', "requests.get").after()
    assert found.startswith('"""D."""\n\nimport asyncio\nasync def f(u): await asyncio')


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("import time\n\nimport asyncio\n", "import asyncio\n"),
        ("import time\n\n\n\nimport asyncio\n", "import asyncio\n"),
        ("import time\n\n# Ours.\nimport asyncio\n", "# Ours.\nimport asyncio\n"),
        ("# Licence.\n\nimport time\n\nimport asyncio\n", "# Licence.\n\nimport asyncio\n"),
        ("import abc\n\nimport time\n", "import abc\nimport asyncio\n"),
        ("import time\n", "import asyncio\n"),
    ],
)
def test_a_file_that_loses_its_first_import_begins_with_what_follows(
    head: str, expected: str
) -> None:
    text = "\n\nasync def f():\n    {0}\n"
    before = case(head + text.format("time.sleep(1)"), "time.sleep", installed=everything)
    assert before.after("asyncio.sleep") == expected + text.format("await asyncio.sleep(1)")


def test_a_module_that_is_an_attribute_now_is_no_longer_imported() -> None:
    body = "with tempfile.TemporaryFile() as f:\n        f.write(b'')"
    text = f"import aiofiles.tempfile\nimport tempfile\n\n\nasync def f():\n    {body}\n"
    found = case(text, "tempfile.TemporaryFile").after("aiofiles")
    assert found.startswith("import aiofiles.tempfile\n\n\nasync def f():")
    named = text.replace("import tempfile\n", "from tempfile import TemporaryFile\n")
    named = named.replace("tempfile.TemporaryFile()", "TemporaryFile()")
    found = case(named, "TemporaryFile", "tempfile.TemporaryFile").after("aiofiles")
    assert "from tempfile import" not in found


def test_an_import_of_the_function_goes_as_well() -> None:
    text = "import asyncio\n\n\nasync def f():\n    import time\n    {}\n"
    found = case(text.format("time.sleep(1)"), "time.sleep").after("asyncio.sleep")
    assert found == "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
    used = text.format("time.sleep(1)\n    return time.time()")
    assert "    import time\n" in case(used, "time.sleep").after("asyncio.sleep")


def test_an_import_right_above_the_function_is_taken_out() -> None:
    text = "import asyncio\nimport time\nasync def f():\n    {0}\n"
    before = case(text.format("time.sleep(1)"), "time.sleep")
    after = text.format("await asyncio.sleep(1)").replace("import time\n", "")
    assert before.after("asyncio.sleep") == after


def test_what_only_the_function_imports_stays_in_the_function() -> None:
    """The library may not be there: the rest of the module works without it."""
    text = """
        import asyncio


        async def f(u):
            try:
                import redis
                r = redis.Redis(u)
                r.ping()
            except ImportError:
                pass
            await asyncio.sleep(0)
    """
    found = case(text, "r.ping", "redis.Redis.ping", installed=everything)
    after = """
        import asyncio


        async def f(u):
            try:
                from redis.asyncio import Redis
                r = Redis(u)
                await r.ping()
            except ImportError:
                pass
            await asyncio.sleep(0)
    """
    check(found, after, "Use redis.asyncio.Redis")


def test_what_the_module_imports_as_well_goes_to_its_top() -> None:
    text = """
        import asyncio
        import redis


        async def f(u):
            import redis
            r = redis.Redis(u)
            r.ping()
            await asyncio.sleep(0)
    """
    found = case(text, "r.ping", "redis.Redis.ping", installed=everything)
    assert found.after("Use redis.asyncio.Redis").count("    import redis\n") <= 1
