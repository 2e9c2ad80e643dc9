"""Ignore comments: what each hides, and where a new one goes. Behaviour in prose: specs."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopsafe.config import CODES
from loopsafe.model import Cost, Finding, Severity, Span
from loopsafe.suppress import ignore_edit, removal, suppressions
from loopsafe.suppress.layout import Layout
from loopsafe.text import SourceText, decode


def finding(text: str, callee: str, code: str = "blocking-sleep", nth: int = 0) -> Finding:
    """A finding on the nth place where the callee is written."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(callee, at + 1)

    def place(offset: int) -> tuple[int, int]:
        before = text[:offset]
        return before.count("\n") + 1, len(before.rpartition("\n")[2].encode())

    span = Span(*place(at), *place(at + len(callee)))
    return Finding("a.py", span, code, "sleep", Cost.STALL, Severity.WARNING, "m", "a.f")


def hidden(text: str, callee: str = "time.sleep", code: str = "blocking-sleep") -> bool:
    return suppressions(SourceText(text)).hides(finding(text, callee, code))


@pytest.mark.parametrize(
    "comment",
    [
        "# loopsafe: ignore",
        "# loopsafe: ignore[blocking-sleep]",
        "# loopsafe: ignore[blocking-sleep] start-up only",
        "#loopsafe:ignore[blocking-http, blocking-sleep]",
        "# Loopsafe: Ignore[ blocking-sleep ]",
        "# type: ignore  # loopsafe: ignore[blocking-sleep]",
        "# loopsafe: ignore[blocking-sleep]  # noqa: E501",
        "# noqa",
        "# NOQA",
        "# noqa: ASYNC251",
        "# noqa:E501,ASYNC251",
        "# noqa: E501 ASYNC251",
        "# noqa: ASYNC",
        "# noqa: ASYNC251 because",
        "# pragma: no cover # noqa",
    ],
)
def test_comment_hides(comment: str) -> None:
    assert hidden(f"time.sleep(1)  {comment}\n")


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "# loopsafe",
        "# loopsafe: ignored",
        "# loopsafe: ignore-file",
        "# not loopsafe: ignore",
        "# loopsafe: ignore[]",
        "# loopsafe: ignore[blocking-sleep",
        "# loopsafe: ignore[blocking-http]",
        "# loopsafe: ignore[sleep]",
        "# noqa: E501",
        "# noqa: ASYNC210",
        "# noqa: because it is fine",
        "# noqas",
        "# ruff: noqa",
        '; "# loopsafe: ignore"',
        "; '''\n# loopsafe: ignore'''",
    ],
)
def test_comment_hides_not(comment: str) -> None:
    assert not hidden(f"time.sleep(1)  {comment}\n")


STATEMENTS = {
    "last line": "x = [\n    time.sleep(1),\n    1,\n]  # loopsafe: ignore\n",
    "first line": "x = [  # loopsafe: ignore\n    time.sleep(1),\n]\n",
    "end of the call": "f(\n    time.sleep(\n        1\n    ),  # loopsafe: ignore\n    2,\n)\n",
    "argument of the call": "f(\n    time.sleep(\n        1,  # loopsafe: ignore\n    ),\n)\n",
    "below in a chain": "x = (\n    a\n    .b()  # loopsafe: ignore\n    .c()\n    .d()\n)\n",
    "after a backslash": "x = 1 + \\\n    time.sleep(1) + \\\n    2  # loopsafe: ignore\n",
    "after a string": 'time.sleep("""\n1\n""")  # loopsafe: ignore\n',
    "header": "with a, \\\n    time.sleep(1):  # loopsafe: ignore\n    pass\n",
    "own line above": "# loopsafe: ignore\nx = f(\n    1,\n    time.sleep(1),\n)\n",
    "own line, comment between": "# loopsafe: ignore\n# so slow\ntime.sleep(1)\n",
    "own line above decorators": "# loopsafe: ignore\n@a\n@b(\n    1\n)\ndef time.sleep(): ...\n",
    "own line in brackets": "f(\n    # loopsafe: ignore\n    time.sleep(1),\n    2,\n)\n",
    "file": "import time\n# loopsafe: ignore-file[blocking-sleep] a script\ntime.sleep(1)\n",
    "file for ruff": "# ruff: noqa: ASYNC251\ntime.sleep(1)\n",
    "in half-typed code": "f(\n\ndef g():\n    time.sleep(1)  # loopsafe: ignore\n",
    "below an unclosed string": "x = '''abc\ntime.sleep(1)  # loopsafe: ignore\n",
    "with Windows line ends": "f(1,\r\n  time.sleep(1)  # loopsafe: ignore\r\n)\r\n",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_reach(name: str) -> None:
    callee = (
        "a\n    .b()  # loopsafe: ignore\n    .c" if name == "below in a chain" else "time.sleep"
    )
    assert hidden(STATEMENTS[name], callee)


OTHERS = {
    "another line": "f(\n    a(),  # loopsafe: ignore\n    time.sleep(1),\n    b(),\n)\n",
    "a call inside": "x = [\n  time.sleep(\n    f(1),  # loopsafe: ignore\n    2,\n  ),\n  3]\n",
    "the end of a call inside": (
        "x = [\n  time.sleep(\n    f(\n      1\n    ),  # loopsafe: ignore\n    2,\n  ),\n  3]\n"
    ),
    "the header above": "if a:  # loopsafe: ignore\n    time.sleep(1)\n",
    "the statement before": "a = 1  # loopsafe: ignore\ntime.sleep(1)\n",
    "two statements below": "# loopsafe: ignore\na = 1\ntime.sleep(1)\n",
    "body of a decorated function": "# loopsafe: ignore\n@a\ndef f():\n    time.sleep(1)\n",
    "own line noqa": "# noqa\ntime.sleep(1)\n",
    "bare file noqa": "# flake8: noqa\ntime.sleep(1)\n",
    "file comment after code": "a = 1  # loopsafe: ignore-file\ntime.sleep(1)\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_reach_of_others(name: str) -> None:
    assert not hidden(OTHERS[name])


def test_unused_comments_are_known() -> None:
    text = (
        "time.sleep(1)  # loopsafe: ignore[blocking-sleep]\n"
        "time.sleep(2)  # loopsafe: ignore[blocking-http] wrong\n"
        "time.sleep(3)  # noqa: ASYNC210\n"
    )
    found = [finding(text, "time.sleep", nth=index) for index in range(3)]
    (useless,) = suppressions(SourceText(text)).useless(found, (), CODES)
    assert not useless.code
    assert SourceText(text).slice(useless.span) == "# loopsafe: ignore[blocking-http] wrong"


USELESS = {
    "a rule of several": ("[blocking-sleep, blocking-http]", ["blocking-http"]),
    "several rules": (
        "[blocking-dns,blocking-sleep,blocking-http]",
        ["blocking-dns", "blocking-http"],
    ),
    "an unknown rule": ("[no-such-rule]", ["no-such-rule"]),
    "a rule that is off": ("[blocking-file]", []),
    "every rule, where it hides one": ("", []),
    "a comment that names the rule": ("[blocking-dns, unused-ignore]", []),
    "no rule": ("[]", []),
}


@pytest.mark.parametrize("name", USELESS)
def test_what_of_a_comment_is_useless(name: str) -> None:
    codes, expected = USELESS[name]
    text = f"time.sleep(1)  # loopsafe: ignore{codes} why\n"
    source = SourceText(text)
    found = suppressions(source).useless([finding(text, "time.sleep")], {"blocking-file"}, CODES)
    assert [source.slice(useless.span) for useless in found] == expected


def test_every_rule_is_left_alone_while_one_is_off() -> None:
    source = SourceText("x = 1  # loopsafe: ignore\n")
    assert len(list(suppressions(source).useless([], (), CODES))) == 1
    assert not list(suppressions(source).useless([], {"blocking-file"}, CODES))


REMOVED = {
    "x = 1  # loopsafe: ignore why\ny\n": "x = 1\ny\n",
    "# loopsafe: ignore why\nx = 1\n": "x = 1\n",
    "    # loopsafe: ignore": "",
    "x = 1  # loopsafe: ignore # noqa\n": "x = 1  # noqa\n",
    "x = 1  # noqa # loopsafe: ignore\n": "x = 1  # noqa\n",
}


@pytest.mark.parametrize("text", REMOVED)
def test_comments_are_removed_without_a_trace(text: str) -> None:
    source = SourceText(text)
    (useless,) = suppressions(source).useless([], (), CODES)
    assert source.apply((removal("", source, useless.span),)) == REMOVED[text]


def test_code_under_the_cursor() -> None:
    text = 'x = "é"; f()  # loopsafe: ignore[blocking-http, blocking-file] blocking-dns\n'
    comments = suppressions(SourceText(text))

    def at(word: str) -> str:
        return comments.code_at(1, len(text[: text.index(word) + 3].encode()))

    assert at("blocking-http") == "blocking-http"
    assert at("blocking-file") == "blocking-file"
    assert at("blocking-dns") == at("loopsafe") == at("f()") == ""


EDITS = {
    "time.sleep(1)\n": "time.sleep(1)  # loopsafe: ignore[blocking-sleep] why\n",
    "time.sleep(1)": "time.sleep(1)  # loopsafe: ignore[blocking-sleep] why",
    "time.sleep(1)   \r\nx\r\n": "time.sleep(1)  # loopsafe: ignore[blocking-sleep] why\r\nx\r\n",
    "é = time.sleep(1)  # é\n": "é = time.sleep(1)  # é  # loopsafe: ignore[blocking-sleep] why\n",
    "time.sleep(1)  # loopsafe: ignore[blocking-http] x\n": (
        "time.sleep(1)  # loopsafe: ignore[blocking-http, blocking-sleep] x\n"
    ),
    "# loopsafe: ignore[blocking-http]\ntime.sleep(1)\n": (
        "# loopsafe: ignore[blocking-http, blocking-sleep]\ntime.sleep(1)\n"
    ),
    "time.sleep(1)  # loopsafe: ignore[]\n": (
        "time.sleep(1)  # loopsafe: ignore[blocking-sleep]\n"
    ),
    "time.sleep(1)  # noqa: ASYNC210\n": (
        "time.sleep(1)  # noqa: ASYNC210  # loopsafe: ignore[blocking-sleep] why\n"
    ),
    "x = time.sleep(1) + \\\n  2\n": (
        "x = time.sleep(1) + \\\n  2  # loopsafe: ignore[blocking-sleep] why\n"
    ),
    'x(time.sleep(1), """\n""",\n  2)\n': (
        'x(time.sleep(1), """\n""",\n  2)  # loopsafe: ignore[blocking-sleep] why\n'
    ),
    "x = [\n  time.sleep(1),\n]\n": (
        "x = [\n  time.sleep(1),  # loopsafe: ignore[blocking-sleep] why\n]\n"
    ),
    "with a, \\\n  time.sleep(1):\n  pass\n": (
        "with a, \\\n  time.sleep(1):  # loopsafe: ignore[blocking-sleep] why\n  pass\n"
    ),
    "with time.sleep(1), \\\n  a:\n  pass\n": (
        "with time.sleep(1), \\\n  a:  # loopsafe: ignore[blocking-sleep] why\n  pass\n"
    ),
}


@pytest.mark.parametrize("before", EDITS)
def test_ignore_edit(before: str) -> None:
    found = finding(before, "time.sleep")
    edit = ignore_edit("a.py", SourceText(before), found.span.line, found.code, "why")
    assert edit is not None
    after = SourceText(before).apply((edit,))
    assert after == EDITS[before]
    assert hidden(after)
    again = ignore_edit("a.py", SourceText(after), found.span.line, found.code, "why")
    assert again is None


def test_nothing_to_edit_where_everything_is_ignored() -> None:
    source = SourceText("time.sleep(1)  # loopsafe: ignore\n")
    assert ignore_edit("a.py", source, 1, "blocking-sleep") is None


def test_scan_agrees_with_tokenize_on_the_standard_library() -> None:
    folder = Path(tokenize.__file__).parent
    checked = 0
    for path in [*sorted(folder.glob("*.py")), *sorted((folder / "asyncio").glob("*.py"))]:
        data = path.read_bytes()
        layout = Layout(SourceText(decode(data)))
        comments, statements = tokenized(data)
        assert [(c.line, c.column, c.text) for c in layout.comments] == comments, path
        for first, last in statements:
            found = layout.statement_at(last)
            assert found is not None, path
            assert (found.first, found.last) == (first, last), path
        checked += len(comments) + len(statements)
    assert checked > 50_000


def tokenized(data: bytes) -> tuple[list[tuple[int, int, str]], list[tuple[int, int]]]:
    comments, statements, first = [], [], 0
    layout_only = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    for token in tokenize.tokenize(io.BytesIO(data).readline):
        if token.type == tokenize.COMMENT:
            comments.append((*token.start, token.string))
        elif token.type == tokenize.NEWLINE:
            if first:
                statements.append((first, token.start[0]))
            first = 0
        elif token.type not in layout_only and token.type != tokenize.ENDMARKER:
            first = first or token.start[0]
    return comments, statements


@given(st.text(alphabet="ab(['\"#\\\n\r\t @:]){},é日", max_size=80), st.integers(1, 9))
def test_never_raises(text: str, line: int) -> None:
    source = SourceText(text + "# loopsafe: ignore[a]")
    comments = suppressions(source)
    span = Span(line, 0, line, 3)
    comments.hides(Finding("a.py", span, "blocking-sleep", "", Cost.STALL, Severity.HINT, "", ""))
    comments.code_at(line, 3)
    edit = ignore_edit("a.py", source, line, "blocking-sleep")
    if edit:
        source.apply((edit,))
