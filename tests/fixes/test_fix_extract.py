"""Statements move to a thread together: what uses a handle, and what somebody has selected."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

import pytest
from stall import run
from support import case, check, everything

from loopsafe.fixes import FixContext, moves
from loopsafe.model import Fix, Safety, Span
from loopsafe.text import SourceText

SQLITE = """
import asyncio
import sqlite3


async def f(path, query):
    connection = sqlite3.connect(path)
    cursor = connection.cursor()  # one
    cursor.execute(query)
    {}
    connection.close()
    await asyncio.sleep(0)
    return rows
"""


@pytest.mark.parametrize(
    "callee", ["sqlite3.connect", "connection.cursor", "cursor.execute", "connection.close"]
)
def test_what_uses_a_connection_moves_with_it(callee: str) -> None:
    sink = {"sqlite3.connect": None, "connection.cursor": "sqlite3.Connection.cursor"}
    text = SQLITE.replace("{}", "rows = cursor.fetchall()")
    found = case(text, callee, sink.get(callee, "sqlite3.Cursor.execute"))
    assert found.cures[0].safety is Safety.UNSAFE
    check(
        found,
        """
        import asyncio
        import sqlite3


        async def f(path, query):
            def work():
                connection = sqlite3.connect(path)
                cursor = connection.cursor()  # one
                cursor.execute(query)
                rows = cursor.fetchall()
                connection.close()
                return rows

            rows = await asyncio.to_thread(work)
            await asyncio.sleep(0)
            return rows
        """,
        "Run the statements that use `connection` in a thread",
    )


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("rows = await g(cursor)", ""),
        ("rows = cursor", "print(rows.fetchall(), await g())"),
        ("def rows(): return cursor.fetchall()", "await g(rows())"),
        ("asyncio.create_task(g(cursor))", ""),
    ],
)
def test_it_stays_where_a_part_of_it_would_have_to(line: str, rest: str) -> None:
    text = SQLITE.replace("{}", line).replace("return rows", rest or "return")
    assert case(text, "sqlite3.connect").cures == ()


def test_a_cursor_of_a_connection_from_elsewhere_stays() -> None:
    text = """
        async def f(connection, query):
            with connection.cursor() as cursor:
                cursor.execute(query)
    """
    assert case(text, "cursor.execute", "sqlite3.Cursor.execute").cures == ()


def test_a_session_moves_with_its_block() -> None:
    text = """
        import asyncio


        async def f(Session, query):
            with Session() as db:
                try:
                    rows = db.execute(query).all()
                except ValueError:
                    rows = []
            return rows
    """
    found = case(text, "db.execute", "sqlalchemy.orm.session.Session.execute")
    assert found.titles == ["Run the with block in a thread with asyncio.to_thread()"]
    assert "        return rows\n\n    rows = await asyncio.to_thread(work)\n" in found.after()


def test_what_a_manager_may_swallow_is_no_result() -> None:
    text = """
        from contextlib import suppress


        async def f(path):
            with suppress(OSError), open(path) as file:
                x = file.read()
            return x
    """
    assert not any("block" in title for title in case(text, "open").titles)


def selected(text: str, part: str, **options: Any) -> list[Fix]:
    source = SourceText(text)
    start = text.index(part)
    lines = text[:start].count("\n") + 1, text[: start + len(part)].count("\n") + 1
    ends = [text[:offset].rpartition("\n")[2] for offset in (start, start + len(part))]
    span = Span(lines[0], len(ends[0].encode()), lines[1], len(ends[1].encode()))
    context = FixContext("app.py", source, ast.parse(text), everything, (3, 12), **options)
    return list(moves(context, span))


def moved(text: str, part: str, **options: Any) -> str:
    [fix] = selected(text, part, **options)
    assert fix.kind == "extract"
    return SourceText(text).apply(fix.edits)


BODY = textwrap.dedent(
    """
    import asyncio
    import time


    async def main(count=2):
        total, parts = 0, []
        for number in range(count):
            # Slowly.
            time.sleep(slow.delay)
            parts.append(number)
            total += number

        if total:
            first = parts[0]
        else:
            raise ValueError(parts)
        text = f\"\"\"{first}
    {total}\"\"\"
        await asyncio.sleep(0)
        return text, total, parts
    """
).lstrip()
LOOP = BODY[BODY.index("    for number") : BODY.index("    if total")]
ALL = BODY[BODY.index("    total, parts") : BODY.index("    await")]


@pytest.mark.parametrize(
    "part", [LOOP, LOOP.strip(), ALL, ALL[10:-8], BODY[BODY.index("time.s") :][:28]]
)
@pytest.mark.parametrize("idiom", ["asyncio", "anyio", "executor", "asgiref"])
def test_a_selection_moves_and_does_the_same(part: str, idiom: str) -> None:
    """Run before and after, on a loop that measures how long it stood still."""
    after = moved(BODY, part, offload=idiom)
    for delay in (0.1, 0.3, 0.9):
        names = {"slow": type("Slow", (), {"delay": delay})}
        old, new = (_run(text, names) for text in (BODY, after))
        assert new.outcome == old.outcome
        assert new.outcome[0] == "result"
        if old.stall >= delay * 0.6 and old.stall >= 10 * new.stall:
            return
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run(text: str, names: dict[str, Any]) -> Any:
    made: dict[str, Any] = dict(names)
    exec(compile(text, "proof.py", "exec", dont_inherit=True), made)
    return run(made["main"], repr)


def test_what_a_selection_looks_like_after() -> None:
    assert LOOP.strip() + "\n" not in moved(BODY, LOOP)
    assert moved(BODY, LOOP).startswith(
        textwrap.dedent(
            """
            import asyncio
            import time


            async def main(count=2):
                total, parts = 0, []

                def work():
                    nonlocal total
                    for number in range(count):
                        # Slowly.
                        time.sleep(slow.delay)
                        parts.append(number)
                        total += number

                await asyncio.to_thread(work)

                if total:
            """
        ).lstrip()
    )


@pytest.mark.parametrize(
    "part",
    [
        "time.sleep",  # not a whole statement
        '    text = f"""{first}\n{total}"""\n    await asyncio.sleep(0)\n',
        "    return text",
        "import time",
        "async def main(count=2):\n    total, parts = 0, []",
        "    \n",
    ],
)
def test_a_selection_that_cannot_leave_is_not_offered(part: str) -> None:
    text = (
        BODY.replace("return text, total", "    \n    return text, total")
        if part == "    \n"
        else BODY
    )
    assert selected(text, part) == []


@pytest.mark.parametrize(
    "body",
    [
        "for x in y:\n        <if x: break>",
        "for x in y:\n        <if x: continue>\n        await z",
        "<yield x>",
        "<if x: return 1>\n    await z",
        "def inner():\n        <x = 1>",
        "<x = [await y for y in z]>",
        "<asyncio.get_running_loop().call_soon(print)>",
        "<print(locals())>",
        "<async with x: y>",
        "x = 1; <y = 2>",
    ],
)
def test_statements_tied_to_their_function_are_not_offered(body: str) -> None:
    text = f"import asyncio\n\n\nasync def f(x, y, z):\n    {body}\n"
    part = text[text.index("<") + 1 : text.index(">")]
    assert selected(text.replace("<", "").replace(">", ""), part) == []


def test_a_whole_ending_returns() -> None:
    text = (
        "async def f(x):\n    y = x\n    if y:\n        return g(y)\n    else:\n        raise E\n"
    )
    after = moved(text, text[text.index("    if") :])
    assert after.endswith("\n    return await asyncio.to_thread(work)\n")


def test_line_ends_and_tabs_stay() -> None:
    text = "async def f(x):\r\n\ty = g(x)\r\n\tz = '''\r\n'''\r\n\treturn y, z\r\n"
    after = moved(text, "y = g(x)\r\n\tz = '''\r\n'''")
    assert "\n" not in after.replace("\r\n", "")
    assert "\tdef work():\r\n\t\ty = g(x)\r\n\t\tz = '''\r\n'''\r\n\t\treturn y, z\r\n" in after


def test_a_name_that_an_async_with_sets_anew_is_not_handed_out() -> None:
    text = (
        "import time\n\n\nasync def main(make, other):\n"
        "    with make() as client:\n        time.sleep(client)\n\n"
        "    async with other() as client:\n        await client.run()\n"
    )
    after = moved(text, "    with make() as client:\n        time.sleep(client)\n")
    assert "            time.sleep(client)\n\n    await asyncio.to_thread(work)\n" in after


@pytest.mark.parametrize(
    ("behind", "shared"),
    [
        ("", ""),
        ("return [f for f in x]", ""),
        ("return [f for f in f]", "f"),
        ("return [f for g in x if f]", "f"),
        ("if x:\n        f = 1\n        return f", ""),
        ("if x:\n        f, g = x\n    return f", "f"),
        ("f: int = 1\n    return f", ""),
        ("f: int\n    return f", "f"),
        ("with x as f:\n        return f", ""),
        ("try:\n        f = 1\n    except ValueError:\n        return f", "f"),
        ("for y in x:\n        g(f)\n        f = y", "f"),
        ("for y in x:\n        f = y\n        g(f)", ""),
        ("(f, *y) = x\n    return f, y", ""),
        ("import f\n    return f", ""),
        ("f += 1\n    return f", "f"),
        ("f = f + 1\n    return f", "f"),
        ("def h():\n        return f\n    f = 1\n    return h", "f"),
    ],
)
def test_what_is_set_anew_before_it_is_read_need_not_leave(behind: str, shared: str) -> None:
    """A variable that the block may set is only shared where it is read with that value."""
    block = "if x:\n        f = g(x)"
    head = f"async def a(x, g):\n    f = 0\n    {block}"
    after = moved(f"{head}\n    {behind or 'return x'}\n", block)
    assert (f"nonlocal {shared}" in after) == bool(shared)


def test_what_the_next_turn_of_a_loop_sets_anew_need_not_leave() -> None:
    text = (
        "async def a(xs, g):\n    for x in xs:\n        {}if x:\n            f = g(x)\n        {}\n"
    )
    block = "if x:\n            f = g(x)"
    assert "nonlocal" not in moved(text.format("f = 0\n        g(f)\n        ", "pass"), block)
    assert "nonlocal f" in moved(text.format("g(f)\n        f = 0\n        ", "pass"), block)
    assert "nonlocal f" in moved(text.format("f = 0\n        ", "g(f)"), block)


def test_the_names_of_a_comprehension_are_its_own() -> None:
    block = "{}\n    if x:\n        f = x"
    head = "async def a(x, g):\n    f = 0\n    g(f)\n    "
    for inside, shared in (
        ("g([f for f in x])", False),
        ("g([f for f in f])", True),
        ("g([y for y in x if f])", True),
        ("g({f: h for h in x for f in h})", False),
    ):
        part = block.format(inside)
        assert ("nonlocal f" in moved(f"{head}{part}\n    return x\n", part)) == shared
