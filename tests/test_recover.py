"""Parsing: good source as `ast` has it, newer syntax, and source in the middle of being typed."""

from __future__ import annotations

import ast
import functools
import importlib.util
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopsafe.facts.newer import rewrite
from loopsafe.facts.recover import Parsed, SyntaxProblem, parse
from loopsafe.facts.syntax import parse_plain

PACKAGES = ("jedi", "astroid", "pygls", "_pytest", "hypothesis", "packaging", "pip")


@functools.cache
def sources(minimum: int = 0, maximum: int = 10**6) -> list[Path]:
    """Real modules of installed packages, of some number of lines."""
    found: list[Path] = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            found += sorted(Path(folder).rglob("*.py"))
    sized = [(path, path.read_bytes().count(b"\n")) for path in found]
    return [path for path, lines in sized if minimum <= lines <= maximum]


def calls(parsed: Parsed, source: str) -> dict[str, str]:
    """Names that are called, and what the source has at their places."""
    lines = source.split("\n")
    return {
        node.func.id: lines[node.func.lineno - 1]
        .encode()[node.func.col_offset : node.func.end_col_offset]
        .decode()
        for node in ast.walk(parsed.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def names(tree: ast.AST) -> Counter[str]:
    """Functions and classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return Counter(node.name for node in ast.walk(tree) if isinstance(node, kinds))


class TestGoodSource:
    def test_is_exactly_what_ast_gives(self) -> None:
        for path in sources()[::25]:
            source = path.read_text(encoding="utf-8")
            parsed = parse(source)
            assert parsed.problems == ()
            expected = ast.dump(parse_plain(source), include_attributes=True)
            assert ast.dump(parsed.tree, include_attributes=True) == expected

    @pytest.mark.parametrize("source", ["", "\n", "# only a comment", "x = 1\r\ny = 2\r\n", "\f\n"])
    def test_of_little_text(self, source: str) -> None:
        assert parse(source).problems == ()

    def test_prints_nothing_about_escapes(self, capfd: pytest.CaptureFixture[str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert parse(r"x = '\d'").problems == ()
        assert capfd.readouterr().err == ""


NEWER = {
    "except without parentheses": """\
try: a1()
except A, b.C(c1()): d1()  # ünï
except (A, B), C:
    e1()
finally:
    f1()
""",
    "except star": """\
try:
    a1()
except* (A, B) as e:
    b1()
except* c1():
    d1()
except *e1(), F: g1()
""",
    "type parameters": """\
def f[T: (int, str), *Ts, **P](a: T = a1()) -> b1(): c1()
async def ä[
    T,  # why

    U: dict[str, int]
](x: T = d1()): e1(x); f1()
class C[T = int](g1()): h1()
""",
    "type statements": """\
type X = a1()
if b1(): type Y[T] = list[T]; c1()
type = d1()
type[e1()] = 1
print(type, f1())
""",
    "f-strings that quote as they please": """\
x = f"ä {a1("x")} {b1(f"{c1("y")}")!r:>{d1("w")}} {e1()=}" "and" f'{f1()}', g1()
y = f'''{
    h1('''z''')  # a comment
    :{i1()}
}''' + j1()
z = f"{'\\n'.join(k1())}" and l1()
w = f"{{no}} {m1({'a': "b"}["a"])}" and n1()
""",
    "template strings": """\
x = t"a {a1()}" and b1()
y = rt'{c1()}' + Tr"{d1()}" + e1()
z = t"{f1("quoted")}" and g1()
""",
    "starred subscripts": """\
def f(*args: *a1()) -> tuple[*b1(), int]:
    return g[1, *c1()], d1(), [*e1(), *f1()], g1(*h1())
""",
}


class TestNewerSyntax:
    @pytest.mark.parametrize("source", NEWER.values(), ids=NEWER)
    def test_keeps_every_call_in_its_place(self, source: str) -> None:
        parsed = parse(source)
        expected = {name: name for name in re.findall(r"\b[a-z]1\b", source)}
        assert parsed.problems == ()
        found = calls(parsed, source)
        assert {name: found.get(name) for name in expected} == expected

    @pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13)])
    @pytest.mark.parametrize("source", NEWER.values(), ids=NEWER)
    def test_is_rewritten_for_every_older_python(
        self, source: str, version: tuple[int, int]
    ) -> None:
        """An interpreter reads what was rewritten for an older one, its own version included."""
        if version > sys.version_info[:2]:
            pytest.skip("the rewriting leaves what this interpreter cannot read")
        rewriting = rewrite(source, version=version)
        text = rewriting.text if rewriting else source
        assert text.count("\n") == source.count("\n")
        tree = parse_plain(text)
        if rewriting:
            rewriting.restore(tree)
        found = calls(Parsed(tree), source)
        expected = {name: name for name in re.findall(r"\b[a-z]1\b", source)}
        assert {name: found.get(name) for name in expected} == expected

    def test_f_strings_stay_f_strings(self) -> None:
        source = 'log(f"{a["x"]} {b}")\n'
        (call,) = (n for n in ast.walk(parse(source).tree) if isinstance(n, ast.Call))
        string = call.args[0]
        assert isinstance(string, ast.JoinedStr)
        assert (string.col_offset, string.end_col_offset) == (4, 19)
        values = [v.value for v in string.values if isinstance(v, ast.FormattedValue)]
        assert [ast.unparse(v) for v in values] == ["a['x']", "b"]

    def test_survives_beside_broken_code(self) -> None:
        source = "\n".join(f"def broken_{i}(:\n{s}" for i, s in enumerate(NEWER.values()))
        found = calls(parse(source), source)
        expected = {name: name for name in re.findall(r"\b[a-z]1\b", source)}
        assert len(found) >= len(expected) - 1
        assert all(name == text for name, text in found.items())

    def test_what_looks_newer_in_strings_is_left_alone(self) -> None:
        source = '"""\nexcept A, B:\ntype X = int\ndef f[T](): ...\n"""\nx = (\n'
        tree = parse(source).tree
        assert isinstance(tree.body[0], ast.Expr)
        assert "except A, B:\ntype X = int\ndef f[T]()" in ast.literal_eval(tree.body[0].value)


def body(source: str) -> str:
    return ast.unparse(parse(source).tree)


class TestHalfTyped:
    @pytest.mark.parametrize(
        "line",
        [
            "x = (",
            "x = requests.get(",
            "x = [1, {",
            "x = 'abc",
            'x = f"{y',
            'x = """abc',
            "x.",
            "await",
            "x = await ",
            "if x",
            "if x ==:",
            "for",
            "for x in",
            "with open('f') as",
            "try:",
            "return foo(bar(",
            "import ",
            "from . import",
            "lambda",
            "@decorated(",
            "x = = 2",
            "else:",
            "except",
            ")",
            "print 'x'",
            "raise ValueError, 'x'",
            "def",
            "async",
            "class",
            "$",
            "x = ?",
        ],
    )
    @pytest.mark.parametrize("indent", [0, 4, 8])
    def test_a_broken_line_takes_nothing_with_it(self, line: str, indent: int) -> None:
        source = (
            "import a\n"
            "class A:\n"
            "    def f(self):\n"
            "        b()\n"
            f"{' ' * indent}{line}\n"
            "        c()\n"
            "        d()\n"
            "    async def g(self, x=Depends(e)):\n"
            '        """Says nothing."""\n'
            "        await h()\n"
            "async def i():\n"
            "    j()\n"
        )
        if indent == 0 and line in ("try:", "else:", "class", "def", "if x", "@decorated("):
            # What follows may as well belong to the line at the margin.
            source = source.replace("        c()\n        d()\n", "        c(); d()\n")
        parsed = parse(source)
        assert set("bcdhj") <= set(calls(parsed, source))
        assert names(parsed.tree) == Counter({"A": 1, "f": 1, "g": 1, "i": 1})
        assert all(name == text for name, text in calls(parsed, source).items())
        assert parsed.problems
        assert {problem.line for problem in parsed.problems} <= {4, 5, 6, 7, 8}

    def test_the_header_of_a_broken_body_stays(self) -> None:
        source = "@app.get('/')\nasync def f(a: A, b=Depends(c)) -> R:\n    x = await d(\n    e()\n"
        assert body(source) == ("@app.get('/')\nasync def f(a: A, b=Depends(c)) -> R:\n    e()")

    @pytest.mark.parametrize(
        ("header", "mended"),
        [
            ("async def f(a, b", "async def f(a, b):"),
            ("async def f(a, b=Depends(", "async def f(a, b=Depends()):"),
            ("async def f(a: int, b: , c=1):", "async def f(a: int, c=1):"),
            ("async def f(a, b) -> :", "async def f(a, b) -> _:"),
            ("async def f(a, b) -> x y:", "async def f(a, b):"),
            ("async def f(a b c):", "async def f():"),
            ("async def f", "async def f():"),
            ("async def f(a,\n        b=,\n        c=1,\n):", "async def f(a, c=1):"),
            ("class f(A", "class f(A):"),
            ("class f(A,):", "class f(A):"),
            ("class f", "class f:"),
            ("if x", "if x:"),
            ("if x.", "if x:"),
            ("while x ==:", "while x:"),
            ("while x == y z:", "while _:"),
            ("for a in", "for a in _:"),
            ("for a in b(", "for a in b():"),
            ("async with a(b", "async with a(b):"),
            ("with a as", "with a as _:"),
        ],
    )
    def test_broken_headers_are_mended(self, header: str, mended: str) -> None:
        assert body(f"{header}\n    x()\ny()\n") == f"{mended}\n    x()\ny()"

    def test_clauses_stay_in_their_statement(self) -> None:
        source = "try:\n    a(\nexcept X as e:\n    b()\nelse:\n    c(\nfinally:\n    d()\n"
        assert body(source) == (
            "try:\n    pass\nexcept X as e:\n    b()\nelse:\n    pass\nfinally:\n    d()"
        )
        source = "if a:\n    b(\nelif c:\n    d()\nelse:\n    e = \nf()\n"
        assert body(source) == "if a:\n    pass\nelif c:\n    d()\nelse:\n    pass\nf()"

    def test_cases_stay_in_their_match(self) -> None:
        source = "match a:\n    case 1:\n        b(\n    case C(x) if :\n        d()\ne()\n"
        assert body(source) == (
            "match a:\n    case 1:\n        pass\n    case C(x) if _:\n        d()\ne()"
        )

    def test_try_without_except_keeps_its_body(self) -> None:
        tree = parse("try:\n    a()\nb()\n").tree
        assert isinstance(tree.body[0], ast.Try)
        assert [ast.unparse(s) for s in tree.body[0].body] == ["a()"]
        assert tree.body[0].finalbody == []

    def test_a_body_without_header_is_conditional(self) -> None:
        """So that a `return` in it ends nothing else."""
        (statement, after) = parse("asinc def f()\n    return a()\nb()\n").tree.body
        assert isinstance(statement, ast.If)
        assert ast.unparse(after) == "b()"

    def test_strings_that_reach_to_the_margin_are_not_cut(self) -> None:
        source = (
            "class A:\n"
            '    q = """\n'
            "SELECT 1\n"
            '"""\n'
            "    def f(self):\n"
            "        x = (\n"
            "    r = [\n"
            "1,\n"
            "]\n"
            "    def g(self): b()\n"
        )
        (cls,) = parse(source).tree.body
        assert isinstance(cls, ast.ClassDef)
        assert [ast.unparse(s).split("\n")[0] for s in cls.body] == [
            "q = '\\nSELECT 1\\n'",
            "def f(self):",
            "r = [1]",
            "def g(self):",
        ]
        assert cls.end_lineno == 10

    def test_a_stray_quote_swallows_no_function(self) -> None:
        source = 'def f():\n    x = """\n    a()\ndef g():\n    """Says."""\n    b()\n'
        assert calls(parse(source), source) == {"a": "a", "b": "b"}

    def test_positions_are_those_of_the_file(self) -> None:
        source = "\n\nclass A:\n\tasync def f(self):\n\t\tx = (\n\t\täö(); b(); c(d())\n"
        assert calls(parse(source), source) == {"äö": "äö", "b": "b", "c": "c", "d": "d"}

    def test_problems_say_where_and_what(self) -> None:
        assert parse("ä = 1\nif ä ==:\n    a()\nb(\n").problems == (
            SyntaxProblem(2, 8, "invalid syntax"),
            SyntaxProblem(4, 1, "'(' was never closed"),
        )

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_both_sides_of_a_merge_conflict_are_read(self, end: str) -> None:
        lines = ["def f():", "<<<<<<< HEAD", "    a()", "||||||| base", "=======", "    b()"]
        source = end.join([*lines, ">>>>>>> other branch", "c()", ""])
        parsed = parse(source)
        assert calls(parsed, source) == {"a": "a", "b": "b", "c": "c"}
        assert parsed.problems == (SyntaxProblem(2, 0, "unresolved merge conflict"),)

    def test_an_underline_is_no_conflict(self) -> None:
        source = '"""\nTitle\n=======\n"""\na()\nb(\n'
        parsed = parse(source)
        assert ast.get_docstring(parsed.tree) == "Title\n======="
        assert [p.line for p in parsed.problems] == [6]

    def test_python_2_gives_a_smaller_answer(self) -> None:
        source = "def f(x):\n    print 'a'\n    exec x\n    return g(`x`)\ndef h():\n    i()\n"
        parsed = parse(source)
        assert names(parsed.tree) == Counter({"f": 1, "h": 1})
        assert [p.line for p in parsed.problems] == [2, 3, 4]


TOKENS = [
    *re.findall(r"\S+", "def class async if else try except finally with match case type except*"),
    *re.findall(r"\S+", "x await return lambda : ( ) [ ] { } @ = , . * \\ # ' \" f' f\"\"\" ''' !"),
    *("\n", "\n    ", "\n        ", "\n\t", "\r", "\f"),
]


class TestUnreadable:
    @pytest.mark.parametrize(
        "source",
        [
            "(" * 5000,
            "x = " + "-" * 50000 + "1",
            "x = " + "a + " * 50000 + "1",
            "x = " + "f(" * 300 + ")" * 300,
            "".join(" " * i + "if x:\n" for i in range(200)),
            'f"{' * 2000,
            "f'''{" * 500,
            "'\n" * 2000,
            "'''\nx = = 1\n" * 301,
            "x = 1e" + "9" * 6000 + "\ny = " + "9" * 6000,
            "\\",
            "\\\n" * 50,
            "\x00",
            "a\x00b = 1\n",
            "\ud800",
            "\ufeff\ufeff",
            "if x:\n\ty\n        z\n",
            " \f\n\f  x\n)",
        ],
    )
    def test_never_raises(self, source: str) -> None:
        assert isinstance(parse(source + "\n\nok = 1\n").tree, ast.Module)

    def test_positions_hold_beside_odd_characters(self) -> None:
        source = "x = '\ud800\x00ä'; a(); b(\n"
        tree = parse("x = '\ud800\x00ä'; a()\nb(\n").tree
        call = tree.body[1]
        width = len(source[: source.index("a()")].encode(errors="surrogatepass"))
        assert (call.lineno, call.col_offset) == (1, width)
        (statement,) = parse("\ufeffabc = 1").tree.body
        assert (statement.col_offset, statement.end_col_offset) == (3, 10)

    def test_text_that_is_no_python_is_soon_given_up(self) -> None:
        parsed = parse('"a": [1, 2],\n' * 20000)
        assert len(parsed.problems) < 1000

    @given(st.text(max_size=200))
    @settings(max_examples=150, deadline=None)
    def test_any_text(self, source: str) -> None:
        parse(source)

    @given(
        st.lists(
            st.sampled_from(TOKENS),
            max_size=60,
        )
    )
    @settings(max_examples=300, deadline=None)
    def test_any_tokens(self, tokens: list[str]) -> None:
        parse(" ".join(tokens))


STRAY = (
    "x = foo(",
    '"""',
    "await requests.get(",
    "if x",
    "for",
    "try:",
    "foo(**",
    "@app.get(",
    "return [",
    "f'{x",
    "x = yield from",
)


def damaged(lines: list[str], rng: random.Random) -> tuple[int, str]:
    """A module with one line cut, gone, mistyped or added, and the line's number from 0."""
    number = rng.randrange(len(lines))
    line = lines[number]
    cut = rng.randrange(len(line) + 1)
    kind = rng.randrange(5)
    added: list[str] = {
        0: [line[:cut]],
        1: [],
        2: [line[:cut] + rng.choice("([{\"')]}:,=.") + line[cut:]],
        3: [line[:cut] + line[cut + 1 :]],
        4: [line, line[: len(line) - len(line.lstrip())] + rng.choice(STRAY)],
    }[kind]
    return number, "\n".join([*lines[:number], *added, *lines[number + 1 :]])


def broken_modules(count: int) -> Iterator[tuple[ast.Module, int, str]]:
    """Real modules of 600 to 2,200 lines with one damaged line, those that then do not parse."""
    rng = random.Random(20)
    paths = sources(600, 2200)
    while count:
        source = rng.choice(paths).read_text(encoding="utf-8")
        number, text = damaged(source.split("\n"), rng)
        try:
            parse_plain(text)
        except SyntaxError:
            count -= 1
            yield parse_plain(source), number, text


def test_damage_to_a_line_leaves_the_other_functions() -> None:
    """Counted with Python 3.11: 1,000 of 1,000 broken states keep all other functions."""
    kept, states = 0, 120
    for tree, number, text in broken_modules(states):
        own = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and node.lineno - 1 - 2 * len(node.decorator_list) <= number <= node.body[0].lineno - 1
        ]
        lost = names(tree) - names(parse(text).tree) - Counter(own)
        kept += not lost
    assert kept >= 0.98 * states
