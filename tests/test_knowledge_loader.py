"""A wrong entry fails loudly, and says in which file and table."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from loopsafe.knowledge import loader
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.loader import compile_folder
from loopsafe.knowledge.table import KnowledgeError
from loopsafe.knowledge.versions import allowed
from loopsafe.model import Place

HEADER = """
[library]
title = "Lib"
import = ["lib"]
source = "https://example.org/"
"""


def read(folder: Path, body: str, header: str = HEADER) -> Catalogue:
    (folder / "lib.toml").write_text(header + dedent(body), "utf-8")
    catalogue = Catalogue.of(folder)
    catalogue.read_all()
    return catalogue


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[[function", "lib.toml: "),
        ('[[function]]\nnames = ["lib.f"]', "lib.toml [[function]] lib.f: `category` is missing"),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "htttp"',
            "lib.toml [[function]] lib.f: `category` is 'htttp', not one of call, cpu, database",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nharmles-if = []',
            "lib.toml [[function]] lib.f: unknown key `harmles-if`, did you mean `harmless-if`?",
        ),
        (
            '[[function]]\nnames = ["other.f"]\ncategory = "http"',
            "lib.toml [[function]] other.f: 'other.f' is in none of the imports lib",
        ),
        (
            '[[function]]\nnames = ["lib.f", "lib.f"]\ncategory = "http"',
            "lib.toml [[function]] lib.f: `names` lists 'lib.f' twice",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\ncost = "dear"',
            "lib.toml [[function]] lib.f: `cost` is 'dear', not one of brief, stall, trivial",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nawaitable = "yes"',
            "lib.toml [[function]] lib.f: `awaitable` must be a boolean",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nsource = "http://x"',
            "lib.toml [[function]] lib.f: `source` must be an https address",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nharmless-if = [{ equals = 1 }]',
            "[[harmless-if]] number 1: a condition needs `argument`, `position` or both",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nonly-if = [{ position = 0 }]',
            "[[only-if]] number 1: a condition needs exactly one of `equals`, `has`",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\n'
            "only-if = [{ position = 0, at-most = true }]",
            "[[only-if]] number 1: `at-most` must be a number",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\nblocking = ["get"]',
            "lib.toml [[class]] lib.C: `category` is missing",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\ncategory = "http"\nblocking = ["get"]\n'
            '[[class.methods]]\nnames = ["get"]',
            "lib.toml [[class]] lib.C: method `get` is listed twice",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\ncategory = "http"\n'
            'blocking = ["get"]\nharmless = ["get"]',
            "lib.toml [[class]] lib.C: method `get` is both blocking and harmless",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\ntwin = "lib.D"\ntwins = { put = "aput" }',
            "lib.toml [[class]] lib.C: `twins` names no listed method: put",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\noverrides = { run = "moon" }',
            "lib.toml [[class]] lib.C: `overrides` says 'moon' for `run`, which is no place",
        ),
        (
            '[[runner]]\nnames = ["lib.r"]\nrole = "callback"',
            "lib.toml [[runner]] lib.r: says neither `decorated`, `argument` nor `position`",
        ),
        (
            '[[runner]]\nnames = ["lib.r"]\nposition = 0',
            "lib.toml [[runner]] lib.r: `role` is missing",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\ncategory = "http"\nlazy = ["rows"]\n'
            "harmless = ['rows']",
            "lib.toml [[class]] lib.C: method `rows` is both blocking and harmless",
        ),
        (
            '[[class]]\nnames = ["lib.C"]\ncategory = "http"\nlazy = ["rows"]\n'
            "properties = ['rows']",
            "lib.toml [[class]] lib.C: method `rows` is listed twice",
        ),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\nlazy = true\n'
            "only-if = [{ position = 0, equals = 1 }]",
            "lib.toml [[function]] lib.f: what is `lazy` takes no conditions",
        ),
        (
            '[[outcome]]\nnames = ["lib.f"]\ngives = "lib.C"',
            "lib.toml [[outcome]] lib.f: `only-if` is missing",
        ),
        (
            '[[outcome]]\nnames = ["lib.f"]\nonly-if = [{ position = 0, equals = 1 }]',
            "lib.toml [[outcome]] lib.f: `gives` must be a class, or a list of them",
        ),
        (
            '[[outcome]]\nnames = ["other.f"]\nonly-if = [{ position = 0, equals = 1 }]\n'
            'gives = "lib.C"',
            "'other.f' is in none of the imports lib",
        ),
        ("[[funktion]]", "lib.toml: unknown key `funktion`, did you mean `function`?"),
        (
            '[[function]]\nnames = ["lib.f"]\ncategory = "http"\n' * 2,
            "lib.toml: lib.f has two entries",
        ),
        ('[[class]]\nnames = ["lib.C"]\nlike = "lib.D"', "lib.C is like lib.D, which has no entry"),
        ('[[class]]\nnames = ["lib.C"]\nlike = "lib.C"', "lib.C is like itself"),
    ],
)
def test_wrong_entries_name_their_table(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        list(read(tmp_path, body).classes())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('[library]\nsource = "https://x"', "lib.toml [library]: `import` must name"),
        ('[library]\nimport = "lib"', "lib.toml [library]: `source` must be an https address"),
        (HEADER + "licence = 1", "lib.toml [library]: unknown key `licence`"),
        (HEADER + 'harmless = ["x.f"]', "lib.toml [library]: 'x.f' is in none of the imports lib"),
        (HEADER + 'serves = ["x.f"]', "lib.toml [library]: 'x.f' is in none of the imports lib"),
    ],
)
def test_wrong_headers_are_refused_before_anything_is_asked(
    tmp_path: Path, header: str, message: str
) -> None:
    (tmp_path / "lib.toml").write_text(header, "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        Catalogue.of(tmp_path)
    assert message in str(caught.value)


def test_a_class_shares_what_another_one_has(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        [[class]]
        names = ["lib.Base"]
        twin = "lib.AsyncBase"
        category = "http"
        cost = "brief"
        blocking = ["get", "list_*", "close"]

        [[class]]
        names = ["lib.Child"]
        like = "lib.Base"
        twin = "lib.AsyncChild"
        harmless = ["close"]
        overrides = { run = "thread" }
        """,
    )
    child = catalogue.klass("lib.Child")
    assert child is not None
    get, listed = child.blocking("get"), child.blocking("list_all")
    assert get is not None
    assert (get.name, get.twin) == ("lib.Child.get", "lib.AsyncChild.get")
    assert listed is not None
    assert (listed.name, listed.twin) == ("lib.Child.list_all", "lib.AsyncChild.list_all")
    assert child.is_harmless("close")
    assert child.blocking("close") is None
    assert child.overrides == {"run": Place.THREAD}


def test_what_a_call_gives_under_conditions_is_shared_and_in_order(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        [[outcome]]
        names = ["lib.ask"]
        only-if = [{ argument = "stream", equals = true }]
        gives = "lib.Parts"

        [[outcome]]
        names = ["lib.ask", "lib.say"]
        only-if = [{ argument = "both", equals = true }]
        gives = ["lib.Parts", ""]

        [[class]]
        names = ["lib.Client"]

          [[class.outcome]]
          names = ["ask"]
          only-if = [{ argument = "stream", equals = true }]
          gives = "lib.Parts"

        [[class]]
        names = ["lib.Other"]
        like = "lib.Client"
        """,
    )
    assert [outcome.gives for outcome in catalogue.outcomes("lib.ask")] == [
        "lib.Parts",
        ("lib.Parts", ""),
    ]
    assert [outcome.gives for outcome in catalogue.outcomes("lib.say")] == [("lib.Parts", "")]
    assert catalogue.has("lib.say")
    other = catalogue.klass("lib.Other")
    assert other is not None
    assert [outcome.gives for outcome in other.outcomes["ask"]] == ["lib.Parts"]


def test_patterns_leave_out_what_is_harmless_and_private(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        [[class]]
        names = ["lib.C"]
        category = "http"
        blocking = ["*"]
        harmless = ["close", "*_async"]
        """,
    )
    known = catalogue.klass("lib.C")
    assert known is not None
    assert known.blocking("get") is not None
    assert [known.blocking(name) for name in ("close", "get_async", "__init__", "_x")] == [None] * 4
    assert known.is_harmless("get_async")
    assert not known.is_harmless("get")


def test_twins_follow_the_protocol_and_the_exceptions(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        [[class]]
        names = ["lib.C"]
        twin = "lib.A"
        twins = { close = "aclose", copy = "" }
        category = "http"
        blocking = ["__init__", "__enter__", "__iter__", "get", "close", "copy"]

        [[class]]
        names = ["lib.S"]
        sisters = "*_async"
        category = "http"
        blocking = ["get"]
        """,
    )
    known, sister = catalogue.klass("lib.C"), catalogue.klass("lib.S")
    assert known is not None
    assert sister is not None
    assert {name: blocking.twin for name, blocking in known.methods.items()} == {
        "__init__": "lib.A",
        "__enter__": "lib.A.__aenter__",
        "__iter__": "lib.A.__aiter__",
        "get": "lib.A.get",
        "close": "lib.A.aclose",
        "copy": "",
    }
    assert known.methods["__init__"].name == "lib.C"
    assert sister.methods["get"].twin == "lib.S.get_async"


def test_a_library_is_read_when_it_is_first_named(tmp_path: Path) -> None:
    wrong = HEADER.replace("lib", "wrong") + "[[function]]\n"
    (tmp_path / "wrong.toml").write_text(wrong.replace("[wrongrary]", "[library]"), "utf-8")
    (tmp_path / "lib.toml").write_text(
        HEADER + '[[function]]\nnames = ["lib.f"]\ncategory = "http"', "utf-8"
    )
    catalogue = Catalogue.of(tmp_path)
    assert catalogue.libraries == {"lib", "wrong"}
    assert catalogue.function("lib.f") is not None
    with pytest.raises(KnowledgeError, match=r"wrong\.toml"):
        catalogue.function("wrong.f")


OLD_AND_NEW = """
[library]
title = "Acme"
import = ["acme"]
distribution = "acme"
source = "https://acme.example.org"

[[function]]
names = ["acme.fetch"]
versions = ">=2"
category = "http"
cost = "brief"

[[function]]
names = ["acme.fetch"]
versions = "<2"
category = "http"
cost = "stall"

[[function]]
names = ["acme.old"]
versions = "<2"
category = "http"
cost = "stall"
"""


@pytest.mark.parametrize(
    ("release", "cost"), [("", "brief"), ("2.0", "brief"), ("1.9", "stall"), ("2.0rc1", "brief")]
)
def test_entries_hold_for_their_versions(release: str, cost: str) -> None:
    known = Catalogue({"acme.toml": OLD_AND_NEW}, releases={"acme": release})
    fetch = known.function("acme.fetch")
    assert fetch is not None
    assert fetch.cost.value == cost
    assert known.function("acme.old") is not None


def test_a_range_of_versions_is_one() -> None:
    text = OLD_AND_NEW.replace(">=2", "two")
    with pytest.raises(KnowledgeError, match="`versions` must be a range"):
        Catalogue({"acme.toml": text}).function("acme.fetch")


@pytest.mark.parametrize(
    ("requirement", "release"),
    [
        ("", ""),
        (">=1", ""),
        ("==1.2", "1.2"),
        ("<=1.2", "1.2"),
        ("<2", "1.999999"),
        (">=1,<1.5", "1.4.999999"),
        ("~=1.2", "1.999999"),
        ("==1.*", "1.999999"),
        ("!=1.3,<2,<3", "1.999999"),
        ("nonsense", ""),
    ],
)
def test_requirements_allow_a_highest_release(requirement: str, release: str) -> None:
    assert allowed(requirement) == release


def test_compiled_files_say_what_they_said(tmp_path: Path) -> None:
    shipped = Path(loader.__file__).parent
    for path in shipped.glob("*.toml"):
        shutil.copy(path, tmp_path)
    compile_folder(tmp_path)
    for path in tmp_path.glob("*.toml"):
        path.unlink()
    compiled, written = Catalogue.of(tmp_path), Catalogue.of(shipped)
    compiled.check()
    written.check()
    assert compiled.headers == written.headers
    told = {name for name in vars(written) if not name.startswith("_")}
    told |= {"_functions", "_decorators", "_runners", "_entries", "_returns", "_outcomes"}
    for name in told:
        assert getattr(compiled, name) == getattr(written, name), name
