"""The texts people and programs get, from findings made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopsafe.explain import explain, finding_markdown, function_markdown, shown_path, step
from loopsafe.facts.extract import extract
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import (
    Confidence,
    Cost,
    Edit,
    Finding,
    Fix,
    Hop,
    Place,
    Safety,
    Severity,
    Span,
)
from loopsafe.output import Result, human, json_format
from loopsafe.output.style import Style, printable, width
from loopsafe.rules.wording import message
from loopsafe.text import SourceText

ROOT = Path(__file__).parent.resolve()
MAIN, HELPER = str(ROOT / "app" / "main.py"), str(ROOT / "app" / "helper.py")
LIBRARY = str(ROOT / "lib" / "site-packages" / "requests" / "api.py")
TEXTS = {
    MAIN: 'async def read(user):\n    return {"é日": load(user)}\n',
    HELPER: "def load(user):\n\treturn requests.get(user)\n",
}
CHAIN = (
    Hop(MAIN, Span(2, 21, 2, 25), "app.main.read", "load()"),
    Hop(HELPER, Span(2, 8, 2, 20), "app.helper.load", "requests.get()"),
)
FIXES = (
    Fix(
        "Use the async client",
        Safety.UNSAFE,
        (Edit(MAIN, Span(2, 21, 2, 25), "await x"), Edit(HELPER, Span(1, 0, 1, 0), "import x\n")),
    ),
    Fix(
        "Run load() in a thread",
        Safety.UNSAFE,
        (Edit(MAIN, Span(2, 21, 2, 25), "await y"),),
        caveat="Mind the rest.",
    ),
    Fix("Ignore", Safety.SAFE, (Edit(MAIN, Span(2, 32, 2, 32), "# x"),), "ignore"),
)


def sources(path: str) -> SourceText | None:
    return SourceText(TEXTS[path]) if path in TEXTS else None


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "path": MAIN,
        "span": Span(2, 21, 2, 25),
        "code": "blocking-http",
        "category": "http",
        "cost": Cost.STALL,
        "severity": Severity.WARNING,
        "message": "load() blocks the event loop through requests.get(), 1 call down",
        "function": "app.main.read",
        "confidence": Confidence.HIGH,
        "chain": CHAIN,
        "sink": "requests.get",
        "reason": "`read` is an `async def` endpoint",
        "root": (HELPER, Span(2, 8, 2, 20)),
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


def result(**changes: object) -> Result:
    found = finding(**changes)
    return Result(found, SourceText(TEXTS[MAIN]), FIXES)


def test_concise_is_one_line() -> None:
    text = human.concise(result(), Style(folder=str(ROOT)))
    message = "load() blocks the event loop through requests.get(), 1 call down"
    assert text == f"{Path('app', 'main.py')}:2:19: warning[blocking-http]: {message}"


def test_full_shows_source_chain_and_cure() -> None:
    main, helper = Path("app", "main.py"), Path("app", "helper.py")
    assert human.full(result(), sources, Style(folder=str(ROOT))) == (
        "warning[blocking-http]: load() blocks the event loop through requests.get(), 1 call down\n"
        f" --> {main}:2:19\n"
        "  |\n"
        '2 |     return {"é日": load(user)}\n'
        "  |                    ^^^^\n"
        "  |\n"
        f"  = chain: {main}:2:19   read calls load()\n"
        f"           {helper}:2:9  load calls requests.get()\n"
        "  = why:   `read` is an `async def` endpoint.\n"
        "  = help:  Await an async client, or move the call to a worker thread.\n"
        "  = fix:   Use the async client (unsafe)\n"
        "           Run load() in a thread\n"
        "             unsafe: Mind the rest.\n"
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("self.load()", "read calls self.load()"),
        ("self.user", "read reads self.user"),
        ("with lock()", "read uses lock() in a with"),
        ("iterating over rows()", "read iterates over rows()"),
        ("rows() + ...", "read runs rows() + ..."),
        ("self.user = ...", "read runs self.user = ..."),
        ("rows[...]", "read reads rows[...]"),
    ],
)
def test_a_step_says_how_it_gets_on(call: str, text: str) -> None:
    assert step(Hop(MAIN, Span(2, 21, 2, 25), "app.main.read", call)) == text


def test_full_marks_every_line_of_a_long_callee() -> None:
    text = "\n".join(["x = (", "    a", "\t.b", "    .c", "    .d", "    .e()", ")"])
    found = Result(finding(span=Span(2, 4, 6, 6), chain=(), reason=""), SourceText(text))
    shown = human.full(found, sources, Style(folder=str(ROOT))).split("\n")
    assert shown[2:12] == [
        "  |",
        "2 |     a",
        "  |     ^",
        "3 |     .b",
        "  |     ^^",
        "4 |     .c",
        "  |     ^^",
        "...",
        "6 |     .e()",
        "  |     ^^",
    ]


def test_full_cuts_very_long_lines() -> None:
    text = f"a = {'x' * 5000}; time.sleep({'1' * 5000})\n"
    at = text.index("time")
    found = Result(finding(span=Span(1, at, 1, at + 10)), SourceText(text))
    source, carets = human.full(found, sources, Style()).split("\n")[3:5]
    assert len(source) < 250
    assert source[carets.index("^") : carets.rindex("^") + 1] == "time.sleep"


def test_terminal_is_not_given_control_characters() -> None:
    text = "# \x1b[2J \u202e\nf()\n"
    assert printable(text.split("\n")[0]) == "# �[2J �"
    assert printable("\tx\u3000") == "    x\u3000"
    assert width("é日e\u0301") == 4
    shown = human.concise(Result(finding(path="/a/\x1b[0m\n.py"), SourceText("")), Style())
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_colors_only_when_asked_for() -> None:
    assert "\x1b[1;33m" in human.full(result(), sources, Style(colored=True))
    assert "\x1b" not in human.full(result(), sources, Style())


def test_summary_counts_levels() -> None:
    error, hint = finding(severity=Severity.ERROR), finding(severity=Severity.HINT)
    information = finding(severity=Severity.INFORMATION)
    assert human.summary([]) == "All checks passed!"
    assert human.summary([finding()]) == "Found 1 finding (1 warning)."
    many = [hint, error, finding(), finding(), information, information]
    expected = "Found 6 findings (1 error, 2 warnings, 2 information, 1 hint)."
    assert human.summary(many) == expected


def test_statistics_name_the_shared_cause() -> None:
    found = [finding(), finding(), finding(code="blocking-file", root=None)]
    assert list(human.statistics(found, Style(folder=str(ROOT)))) == [
        "2  blocking-http        2 warnings",
        "1  blocking-file        1 warning",
        "",
        "Several findings come from the same call:",
        f"2  {Path('app', 'helper.py')}:2  requests.get()",
    ]


def test_a_cause_of_many_findings_is_told_at_the_end() -> None:
    style, other = Style(folder=str(ROOT)), finding(code="blocking-file", root=None)
    assert human.shared_cause([finding()] * 4 + [other], style) == ""
    assert human.shared_cause([other] * 9, style) == ""
    assert human.shared_cause([other] + [finding()] * 5, style) == (
        f"5 of them share one cause: requests.get() in {Path('app', 'helper.py')}:2"
        " (`--statistics` lists more)."
    )


def test_json_has_the_shape_of_ruffs() -> None:
    (item,) = json.loads(json_format.render([result()], sources))
    place = {"row": 2, "column": 19}
    edit = {"location": place, "end_location": {"row": 2, "column": 23}}
    assert item == {
        "cell": None,
        "filename": MAIN,
        "location": place,
        "end_location": {"row": 2, "column": 23},
        "code": "blocking-http",
        "message": "load() blocks the event loop through requests.get(), 1 call down",
        "url": "https://github.com/loopsafe/loopsafe/blob/main/server/loopsafe/rules/"
        "blocking-http.md",
        "severity": "warning",
        "category": "http",
        "function": "app.main.read",
        "confidence": "high",
        "derived_from": None,
        "bundled": None,
        "chain": [
            {
                "filename": MAIN,
                "location": place,
                "function": "app.main.read",
                "call": "load()",
                "place": None,
            },
            {
                "filename": HELPER,
                "location": {"row": 2, "column": 9},
                "function": "app.helper.load",
                "call": "requests.get()",
                "place": None,
            },
        ],
        "fix": {
            "applicability": "unsafe",
            "message": "Run load() in a thread",
            "edits": [{"content": "await y", **edit}],
        },
        "fixes": [
            {
                "title": "Use the async client",
                "safety": "unsafe",
                "edits": [
                    {"filename": MAIN, "content": "await x", **edit},
                    {
                        "filename": HELPER,
                        "content": "import x\n",
                        "location": {"row": 1, "column": 1},
                        "end_location": {"row": 1, "column": 1},
                    },
                ],
            },
            {
                "title": "Run load() in a thread",
                "safety": "unsafe",
                "edits": [{"filename": MAIN, "content": "await y", **edit}],
            },
        ],
    }


def test_json_survives_files_that_are_gone_and_odd_names() -> None:
    odd = "/tmp/\udcff.py"
    chain = (Hop("/gone.py", Span(7, 3, 7, 4), "f", "g()"),)
    found = Result(finding(path=odd, chain=chain), SourceText(TEXTS[MAIN]))
    (item,) = json.loads(json_format.render([found], sources))
    assert item["filename"] == odd
    assert item["chain"][0]["location"] == {"row": 7, "column": 4}
    assert item["fix"] is None
    assert item["fixes"] == []


def test_hover_is_short_and_links_the_chain() -> None:
    text = finding_markdown(finding(also=("file",)), FIXES, ROOT)
    lines = text.split("\n\n")
    assert len(lines) <= 5
    assert lines[0] == "`read` is an `async def` endpoint."
    assert lines[1] == (
        "**Quick fix:** Use the async client · Run `load()` in a thread. Mind the rest."
    )
    assert lines[2].startswith("**Instead:** Await an async client")
    message = (
        "`load()` blocks the event loop through `requests.get()`, 1 call down: "
        f"`load()` in [app/main.py:2]({Path(MAIN).as_uri()}#L2) → "
        f"`requests.get()` in [app/helper.py:2]({Path(HELPER).as_uri()}#L2). "
    )
    assert lines[3].startswith(f"{message}An HTTP request takes")
    assert lines[4].endswith("blocking-http.md) · also waits for: file")


def test_hover_does_not_repeat_what_the_editor_shows_above_it() -> None:
    lines = finding_markdown(finding(), FIXES, ROOT, is_shown=True).split("\n\n")
    assert lines[3].startswith("An HTTP request takes")
    assert not any("→" in line for line in lines)


def test_hover_of_a_long_chain_stays_short() -> None:
    hops = tuple(Hop(MAIN, Span(n, 0, n, 1), "f", f"f{n}()") for n in range(1, 12))
    text = finding_markdown(finding(chain=hops), (), ROOT)
    assert text.count("→") == 5
    assert "`f11()`" in text
    assert "…" in text


def test_uncertain_findings_say_so() -> None:
    assert explain(finding()).certainty == ""
    assert "Likely" in finding_markdown(finding(confidence=Confidence.MEDIUM))
    assert "Uncertain" in human.full(result(confidence=Confidence.LOW), sources, Style())


def test_advice_of_the_library_goes_before_the_rules() -> None:
    told = finding(code="blocking-future", advice="Wait without blocking", caveat="Mind the rest")
    assert explain(told).advice == "Wait without blocking."
    assert explain(told).caveat == "Mind the rest."
    twin = explain(finding(twin="aiohttp.get")).advice
    assert twin.startswith("`aiohttp.get()` does the same and can be awaited. ")


def test_who_says_so_is_named() -> None:
    told = finding(origin="pyproject.toml")
    assert explain(told).certainty == "`pyproject.toml` says that it blocks."


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (MAIN, "app/main.py"),
        ("/env/lib/python3.12/site-packages/requests/api.py", "requests/api.py"),
        ("/x/jedi/third_party/typeshed/stdlib/3/time.pyi", "stdlib/3/time.pyi"),
        ("/elsewhere/a.py", "/elsewhere/a.py"),
    ],
)
def test_paths_are_shown_as_readers_know_them(path: str, shown: str) -> None:
    assert shown_path(path, ROOT) == shown


def test_hover_of_a_function() -> None:
    engine = pytest.importorskip("loopsafe.engine")

    def place(**changes: object) -> str:
        values: dict[str, object] = {
            "name": "read",
            "qualified": "app.main.read",
            "path": MAIN,
            "span": Span(1, 10, 1, 14),
            "is_async": False,
            "place": Place.THREAD,
            "role": "endpoint",
            "reason": "FastAPI runs `def` endpoints in the thread pool",
            "findings": 0,
        }
        return function_markdown(engine.FunctionPlace(**{**values, **changes}))

    reason = "FastAPI runs `def` endpoints in the thread pool."
    assert place() == f"**Runs in a worker thread:** endpoint `def read`\n\n{reason}"
    assert place(place=Place.LOOP, role="", reason="", is_async=True, findings=2) == (
        "**Runs on the event loop:** `async def read`\n\n2 calls in it may block the event loop."
    )
    assert place(place=None) == ""


def test_a_long_message_keeps_the_ends_of_names() -> None:
    facts = extract("if not request.app.state.MODELS: pass\n")
    (site,) = (site for site in facts.functions[0].sites if site.kind == "operator")
    blocking = Blocking("redis.cluster.RedisClusterClient.hgetall", "database", Cost.STALL)
    text = "bool(state.MODELS) blocks the event loop through RedisClusterClient.hgetall()"
    assert message(site, blocking, 3) == f"{text}, 2 calls down"
