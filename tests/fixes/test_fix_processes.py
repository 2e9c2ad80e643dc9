"""Work for the processor goes to a process that is there for it, executed before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from stall import module, run
from support import Case, case
from test_fix_rows_proof import main, prove

CALL = "hashlib.pbkdf2_hmac('sha256', b'word', b'salt', rounds)"
POOL = "import hashlib\nfrom concurrent.futures import ProcessPoolExecutor\n\npool = "
POOL += "ProcessPoolExecutor(1)\n"


def found(body: str, imports: str, callee: str = "hashlib.pbkdf2_hmac") -> Case:
    return case(main(body, imports), callee, code="blocking-cpu")


@contextmanager
def rounds(delay: float) -> Iterator[dict[str, Any]]:
    """So many rounds that hashing takes a while."""
    yield {"rounds": int(delay * 8_000_000)}


@pytest.mark.parametrize(
    ("imports", "title", "call"),
    [
        (POOL, "with pool", "asyncio.get_running_loop().run_in_executor(pool, hashlib.pbkdf2_hmac"),
        (
            "import hashlib\nimport anyio\n",
            "with anyio.to_process",
            "anyio.to_process.run_sync(hashlib.pbkdf2_hmac",
        ),
    ],
)
def test_hashing(imports: str, title: str, call: str) -> None:
    hashing = found(f"return {CALL}.hex()", imports)
    assert f"return (await {call}, 'sha256', b'word'" in hashing.after(title)
    assert "pickle" in hashing.fix(title).caveat
    assert "in a thread" in hashing.titles[0]
    prove(hashing, title, rounds)


def test_an_error_comes_back() -> None:
    body = "return hashlib.pbkdf2_hmac('none', b'word', b'salt', 1)"
    before = found(body, POOL)
    outcomes = [run(module(t).main, repr).outcome for t in (before.text, before.after("with pool"))]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "error"


@pytest.mark.parametrize(
    ("body", "imports", "callee"),
    [
        (f"return {CALL}", "import hashlib", "hashlib.pbkdf2_hmac"),
        (f"pool = 1\nreturn {CALL}", POOL, "hashlib.pbkdf2_hmac"),
        ("f = hashlib.pbkdf2_hmac\nreturn f('x')", POOL, "f"),
        ("return hashlib.pbkdf2_hmac(lambda: 1)", POOL, "hashlib.pbkdf2_hmac"),
        ("return hashlib.pbkdf2_hmac(*x)", POOL, "hashlib.pbkdf2_hmac"),
        ("return [1].sort()", POOL, "[1].sort"),
    ],
)
def test_what_no_process_can_do(body: str, imports: str, callee: str) -> None:
    assert "in a process" not in str(found(body, imports, callee).titles)
