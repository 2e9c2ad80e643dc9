"""A block moves to a thread with everything that it reads and sets."""

from __future__ import annotations

import textwrap

import pytest
from support import case, check

from loopsafe.model import Safety

FILE = """
import asyncio
import json


async def f(path, total):
    x = 1
    {}
    return x
"""


@pytest.mark.parametrize(
    ("block", "after"),
    [
        pytest.param(
            """
            with open(path) as file:
                x = json.load(file)
            """,
            """
            def work():
                with open(path) as file:
                    return json.load(file)

            x = await asyncio.to_thread(work)
            """,
            id="a result",
        ),
        pytest.param(
            """
            with open(path) as file, open(x, "w") as out:  # both
                # keep
                out.write(file.read())  # copied
            """,
            """
            def work():
                with open(path) as file, open(x, "w") as out:  # both
                    # keep
                    out.write(file.read())  # copied

            await asyncio.to_thread(work)
            """,
            id="no result",
        ),
        pytest.param(
            """
            with open(path) as file:
                return file.read()
            """,
            """
            def work():
                with open(path) as file:
                    return file.read()

            return await asyncio.to_thread(work)
            """,
            id="return",
        ),
        pytest.param(
            """
            with open(path) as file:
                for line in file:
                    if not line:
                        continue
                    x += len(line)
            """,
            """
            def work():
                nonlocal x
                with open(path) as file:
                    for line in file:
                        if not line:
                            continue
                        x += len(line)

            await asyncio.to_thread(work)
            """,
            id="changed",
        ),
        pytest.param(
            """
            with open(path) as file:
                total = total.strip() + file.read()
                print(total)
            """,
            """
            def work():
                nonlocal total
                with open(path) as file:
                    total = total.strip() + file.read()
                    print(total)

            await asyncio.to_thread(work)
            """,
            id="a parameter",
        ),
        pytest.param(
            '''
            with open(path) as file:
                x = f"""
            {file.read()}
                two"""
            ''',
            '''
            def work():
                with open(path) as file:
                    return f"""
            {file.read()}
                two"""

            x = await asyncio.to_thread(work)
            ''',
            id="a string of several lines",
        ),
        pytest.param(
            """
            for line in open(path):
                x = line
            """,
            """
            def work():
                nonlocal x
                for line in open(path):
                    x = line

            await asyncio.to_thread(work)
            """,
            id="for",
        ),
        pytest.param(
            """
            try:
                with open(path) as file:
                    y = 1
                    x = file.read()
            except OSError:
                pass
            """,
            """
            try:
                def work():
                    with open(path) as file:
                        y = 1
                        return file.read()

                x = await asyncio.to_thread(work)
            except OSError:
                pass
            """,
            id="try",
        ),
        pytest.param(
            """
            try:
                with open(path) as file:
                    x = 2
                    x = file.read()
            except OSError:
                pass
            """,
            """
            try:
                def work():
                    nonlocal x
                    with open(path) as file:
                        x = 2
                        x = file.read()

                await asyncio.to_thread(work)
            except OSError:
                pass
            """,
            id="a handler that sees half of it",
        ),
    ],
)
def test_a_file_and_its_block_move_together(block: str, after: str) -> None:
    def placed(text: str) -> str:
        lines = textwrap.dedent(text).strip("\n").split("\n")
        inside = "".join(
            line if line.startswith(("{file", "    two")) else line and f"    {line}"
            for line in (f"{line}\n" for line in lines)
        )
        gap = "\n" if lines[0].startswith("def ") else ""
        return FILE.replace("    {}\n", gap + inside.replace("    \n", "\n"))

    found = case(placed(block), "open")
    check(found, placed(after), "block in a thread")
    assert found.cures[0].safety is Safety.UNSAFE
    assert len(found.cures) == 1


def test_a_read_moves_the_block_of_its_file() -> None:
    text = FILE.replace("{}", "with open(path) as file: x = file.read()")
    found = case(text, "file.read", "io.TextIOWrapper.read")
    assert found.titles == ["Run the with block in a thread with asyncio.to_thread()"]
    assert "        with open(path) as file: return file.read()\n\n    x = await" in found.after()


@pytest.mark.parametrize(
    "block",
    [
        "with open(path) as file: await x",
        "with open(path) as file: yield x",
        "with open(path) as file: x = [y async for y in x]",
        "with open(path) as file:\n        if x: return file.read()",
        "with open(path) as file: print(locals())",
        "with open(path) as file: super().load(file)",
        "with open(path) as file:\n        global y\n        y = 1",
    ],
)
def test_a_block_that_cannot_leave_its_function_stays(block: str) -> None:
    assert case(FILE.replace("{}", block), "open").cures == ()


def test_a_block_that_leaves_a_loop_stays() -> None:
    loop = "for path in total:\n        with open(path) as file:\n            {}"
    for leave in ("break", "continue", "if x: break"):
        assert case(FILE.replace("{}", loop.replace("{}", leave)), "open").cures == ()
    inner = loop.replace("{}", "for line in file: break")
    assert case(FILE.replace("{}", inner), "open").cures
