"""The Markdown runner itself: a wrong claim is a failure that says what is wrong, and where."""

from __future__ import annotations

import pytest

import mdtest

SLEEP = "# Title\n\n```py\nimport time\nasync def f():\n    time.sleep(1)%s\n```\n"


def differences(markdown: str) -> list[str]:
    return [text for section in mdtest.sections(markdown) for text in mdtest.check(section, "a.md")]


@pytest.mark.parametrize(
    ("claim", "difference"),
    [
        ("  # error: [blocking-sleep]", ""),
        ("  # warning: [blocking-sleep]", ""),
        ('  # error: [blocking-sleep] "time.sleep()"', ""),
        ("  # todo-ok: [blocking-sleep]", ""),
        ("  # error: [blocking-sleep]  # todo-error: [blocking-dns]", ""),
        ("", "expected no finding, got warning: [blocking-sleep]"),
        ("  # error: [blocking-http]", "expected error: [blocking-http], got warning: [blocking-s"),
        ("  # hint: [blocking-sleep]", "expected hint: [blocking-sleep], got warning"),
        ('  # error: [blocking-sleep] "abc"', 'expected error: [blocking-sleep] "abc", got'),
        ("  # error: [blocking-sleep] # error: [blocking-sleep]", "expected error: [blocking-sle"),
        ("  # todo-error: [blocking-sleep]", "found at last: change `todo-error"),
        ("  # todo-ok: [blocking-http]", "no false alarm any more: remove `todo-ok"),
    ],
)
def test_claims(claim: str, difference: str) -> None:
    found = differences(SLEEP % claim)
    if not difference:
        assert found == []
    else:
        assert any(text.startswith(f"a.md:6: {difference}") for text in found)
        assert all("in main.py:3: time.sleep(1)" in text for text in found)


def test_claim_on_a_line_without_a_finding() -> None:
    markdown = "# Title\n\n```py\n\nx = 1  # error: [blocking-sleep]\n```\n"
    assert differences(markdown)[0].startswith("a.md:5: expected error: [blocking-sleep], got noth")


def test_chain_that_differs() -> None:
    markdown = SLEEP % "  # error: [blocking-sleep]"
    assert differences(markdown + "\n```chain\nmain.f: time.sleep()\n```\n") == []
    (difference,) = differences(markdown + "\n```chain\nmain.f: sleep()\n```\n")
    assert difference.startswith("a.md:10: expected the chain\nmain.f: sleep()")
    assert "main.f: time.sleep()" in difference


def test_fix_that_differs() -> None:
    markdown = SLEEP % "  # error: [blocking-sleep]"
    (difference,) = differences(markdown + "\n```fixed\nimport time\n```\n")
    assert difference.startswith("a.md:10: expected after the fix\nimport time\n  got\nimport")
    (difference,) = differences(markdown + '\n```fixed "Fly away"\nimport time\n```\n')
    assert difference.startswith("a.md:10: expected the fix 'Fly away', offered are [")


def test_sections_files_and_settings() -> None:
    markdown = (
        "# A\n```toml\n[tool.loopsafe]\n```\ntext\n\n`b/c.py`:\n\n```python\nx = 1\n```\n"
        '```py\ny = 1\n```\n```py\nz = 1  # error: [a] # hint: [b] "t"\n```\n'
        "`.gitignore`:\n```\nx\n```\n"
        "## B\nprose\n## C\n````py\n'''\n```\n'''\n````\n# D\n```py\n# info: [c]\nx\n```\n"
    )
    first, second, third = mdtest.sections(markdown)
    assert [s.name for s in (first, second, third)] == ["A", "A > C", "D"]
    assert {name: source.lines for name, source in first.files.items()} == {
        "b/c.py": ["x = 1"],
        "main.py": ["y = 1", "z = 1"],
        ".gitignore": ["x"],
    }
    assert [(str(c), c.file, c.line) for c in first.claims] == [
        ("error: [a]", "main.py", 2),
        ('hint: [b] "t"', "main.py", 2),
    ]
    assert first.config == second.config == "[tool.loopsafe]"
    assert second.files["main.py"].lines == ["'''", "```", "'''"]
    assert third.config == ""
    assert [(str(c), c.line) for c in third.claims] == [("info: [c]", 1)]
    assert third.files["main.py"].lines == ["x"]
