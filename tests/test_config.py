"""Settings: what pyproject.toml and editors may say, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.config import CODES, OFFLOADS, ConfigError, Settings, check_codes
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.model import Cost, Place, Severity


def load(folder: Path, text: str) -> Settings:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return Settings.load(folder)


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [tool.loopsafe]
        select = ["blocking-http", "blocking-file"]
        ignore = ["blocking-file"]
        exclude = ["generated/"]
        python = "env"
        source-roots = ["src", "lib"]
        per-file-ignores = { "scripts/" = ["blocking-file"] }
        offload = "anyio"
        blocking = { "shop.charge" = "later" }
        not-blocking = ["shop.cache.*"]
        offload-functions = ["shop.in_thread"]
        callback-functions = { "shop.subscribe" = 1 }
        second-opinion = false
        severity = { blocking-http = "error" }
        """,
    )
    assert settings == Settings(
        select=("blocking-http", "blocking-file"),
        ignore=("blocking-file",),
        exclude=("generated/",),
        python=tmp_path / "env",
        source_roots=(tmp_path / "src", tmp_path / "lib"),
        per_file_ignores=(("scripts/", ("blocking-file",)),),
        offload="anyio",
        blocking=(
            Blocking(
                name="shop.charge",
                category="call",
                cost=Cost.STALL,
                advice="later",
                origin="pyproject.toml",
            ),
        ),
        not_blocking=("shop.cache.*",),
        offload_functions=(
            Runner(
                "shop.in_thread", "offloaded call", Place.THREAD, None, position=0, offloads=True
            ),
        ),
        callback_functions=(
            Runner("shop.subscribe", "callback", Place.LOOP, Place.LOOP, position=1),
        ),
        second_opinion=False,
        severity={"blocking-http": Severity.ERROR},
        base=tmp_path,
    )


def test_nearest_file_with_a_table_is_taken(tmp_path: Path) -> None:
    load(tmp_path, '[tool.loopsafe]\nignore = ["blocking-cpu"]\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'a'\n")
    assert Settings.load(inner).ignore == ("blocking-cpu",)
    assert Settings.load(inner).base == tmp_path
    load(inner, "[tool.loopsafe]\n")
    assert Settings.load(inner).ignore == ()


def test_defaults_without_a_file(tmp_path: Path) -> None:
    assert Settings.load(tmp_path) == Settings()
    assert Settings().select == CODES


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            '[tool.ruff]\nselect = ["E"]\n[tool.loopsafe]\n\nselct = []\n',
            5,
            "unknown key `selct` in [tool.loopsafe], did you mean `select`?",
        ),
        (
            "[tool.loopsafe]\nsource_roots = []\n",
            2,
            "unknown key `source_roots` in [tool.loopsafe], did you mean `source-roots`?",
        ),
        (
            "[tool.loopsafe.nothing_like_it]\nx = 1\n",
            1,
            "unknown key `nothing_like_it` in [tool.loopsafe]",
        ),
        (
            '[tool.loopsafe]\nignore = [\n  "blocking-file",\n  "blocking-htp",\n]\n',
            4,
            "`ignore`: unknown rule `blocking-htp`, did you mean `blocking-http`?",
        ),
        (
            '[tool.loopsafe]\n[tool.loopsafe.severity]\n# c\nblocking-http = "err"\n',
            4,
            "`severity`: blocking-http must be error, warning, information, hint or off, "
            'not "err", did you mean `error`?',
        ),
        (
            '[tool.loopsafe]\nseverity = { blocking-http = "error", some-rule = "off" }\n',
            2,
            "`severity`: unknown rule `some-rule`",
        ),
        (
            '[tool.loopsafe]\nseverity.blocking-http = "error"\nseverity."blocking-dns" = 1\n',
            3,
            "`severity`: blocking-dns must be error, warning, information, hint or off, not 1",
        ),
        (
            '[tool.loopsafe]\nexclude = "x"\n',
            2,
            '`exclude`: must be a list of strings, not "x"',
        ),
        (
            "[tool.loopsafe]\nexclude = [1]\n",
            2,
            "`exclude`: must hold strings only, not 1",
        ),
        (
            '[tool]\nloopsafe.offload = "anio"\n',
            2,
            "`offload`: must be one of auto, asyncio, anyio, trio, starlette, asgiref, asyncer, "
            'homeassistant, executor, not "anio", did you mean `anyio`?',
        ),
        (
            '[tool.loopsafe]\nsecond-opinion = "yes"\n',
            2,
            '`second-opinion`: must be true or false, not "yes"',
        ),
        ("[tool.loopsafe]\npython = []\n", 2, "`python`: must be a path, not a list"),
        (
            '[tool.loopsafe.blocking]\n"a.f" = ""\n"a.g" = { categry = "http" }\n',
            3,
            "`blocking`: unknown key `categry`, did you mean `category`?",
        ),
        (
            '[tool.loopsafe.blocking]\n"a.g" = { category = "htp" }\n',
            2,
            "`blocking`: `category` is 'htp', not one of call, cpu, database, dns, file, future, "
            "http, input, lock, loop, network, sleep, subprocess, did you mean `http`?",
        ),
        (
            '[[tool.loopsafe.blocking]]\nnames = ["a.f"]\n\n[[tool.loopsafe.blocking]]\n'
            'names = ["a.g"]\ncost = "dear"\n',
            6,
            "`blocking`: `cost` is 'dear', not one of brief, stall, trivial",
        ),
        (
            '[[tool.loopsafe.blocking]]\nnames = ["a.f"]\n\n[[tool.loopsafe.blocking]]\n'
            'category = "http"\n',
            4,
            "`blocking`: `names` must list at least one dotted name",
        ),
        (
            '[tool.loopsafe]\nnot-blocking = [\n  "a.f",\n  "fetch",\n]\n',
            4,
            "`not-blocking`: `fetch` is no dotted name that begins with a module, "
            "such as `shop.tools.fetch` or `shop.cache.*`",
        ),
        (
            '[tool.loopsafe]\nnot-blocking = ["*"]\n',
            2,
            "`not-blocking`: `*` is no dotted name that begins with a module, "
            "such as `shop.tools.fetch` or `shop.cache.*`",
        ),
        (
            '[tool.loopsafe]\nblocking = ["a.f"]\nnot-blocking = ["a.f"]\n',
            3,
            "`not-blocking`: `a.f` is in `blocking`, too",
        ),
        (
            '[tool.loopsafe]\noffload-functions = ["a.tools.*"]\n',
            2,
            "`offload-functions`: a.tools.* must end in the name of a function",
        ),
        (
            '[tool.loopsafe.callback-functions]\n"a.subscribe" = "handler"\n',
            2,
            "`callback-functions`: a.subscribe must be the number of an argument, from 0, "
            "or a table",
        ),
        ("tool.loopsafe = 3\n", 1, "`tool.loopsafe` must be a table"),
        ("[tool.loopsafe]\nselect = [\n", 3, "is not valid TOML: Invalid value"),
        ('[tool.loopsafe]\nselect = "a\n', 2, "is not valid TOML: Illegal character '\\n'"),
    ],
)
def test_mistakes_name_their_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.message == message
    assert caught.value.line == line
    assert str(caught.value) == f"{tmp_path / 'pyproject.toml'}:{line}: {message}"


def test_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.loopsafe]\nx = '\xff'\n")
    with pytest.raises(ConfigError, match="is not UTF-8 at byte 21"):
        Settings.load(tmp_path)


def test_severity_follows_cost_and_can_be_moved() -> None:
    settings = Settings(
        severity={"blocking-cpu": Severity.ERROR, "blocking-dns": Severity.OFF},
        ignore=("blocking-file",),
        select=tuple(code for code in CODES if code != "blocking-http"),
    )
    assert settings.severity_of("blocking-sleep", Cost.STALL) is Severity.WARNING
    assert settings.severity_of("blocking-sleep", Cost.BRIEF) is Severity.INFORMATION
    assert settings.severity_of("blocking-sleep", Cost.TRIVIAL) is Severity.HINT
    assert settings.severity_of("async-without-await", Cost.STALL) is Severity.HINT
    assert settings.severity_of("eager-offload", Cost.TRIVIAL) is Severity.WARNING
    assert settings.severity_of("blocking-cpu", Cost.TRIVIAL) is Severity.ERROR
    assert settings.severity_of("blocking-dns", Cost.STALL) is Severity.OFF
    assert settings.severity_of("blocking-file", Cost.STALL) is Severity.OFF
    assert settings.severity_of("blocking-http", Cost.STALL) is Severity.OFF


def test_editor_adds_to_the_project(tmp_path: Path) -> None:
    project = Settings(ignore=("blocking-cpu",), severity={"blocking-dns": Severity.HINT})
    settings = project.with_overrides(
        {
            "select": [],
            "ignore": ["blocking-file"],
            "severity": {"blocking-http": "off"},
            "exclude": ["x"],
            "secondOpinion": False,
            "sourceRoots": ["src"],
            "python": None,
            "trace": {"server": "off"},
        },
        tmp_path,
    )
    assert settings.select == CODES
    assert settings.ignore == ("blocking-cpu", "blocking-file")
    assert settings.severity == {"blocking-dns": Severity.HINT, "blocking-http": Severity.OFF}
    assert settings.exclude == ("x",)
    assert settings.source_roots == (tmp_path / "src",)
    assert settings.second_opinion is False
    assert settings.python is None
    assert settings.base == tmp_path


def test_rules_may_be_left_out_in_some_files(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "[tool.loopsafe.per-file-ignores]\n"
        '"scripts/" = ["blocking-file"]\n"*_old.py" = ["blocking-http", "blocking-dns"]\n',
    )

    def ignored(name: str) -> tuple[str, ...]:
        return settings.for_file(str(tmp_path / name)).ignore

    assert ignored("app/main.py") == ()
    assert ignored("scripts/a.py") == ("blocking-file",)
    assert ignored("app/a_old.py") == ("blocking-http", "blocking-dns")
    assert settings.for_file("/elsewhere/scripts/a.py").ignore == ()
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, '[tool.loopsafe.per-file-ignores]\n"a" = []\n"b.py" = ["blocking-htp"]\n')
    assert caught.value.line == 3
    assert caught.value.message == (
        "`per-file-ignores`: b.py: unknown rule `blocking-htp`, did you mean `blocking-http`?"
    )


def test_every_setting_is_explained(tmp_path: Path) -> None:
    from loopsafe.config.reference import SETTINGS

    known = {name.replace("_", "-") for name in Settings.__slots__} - {"base"}
    assert {setting.key for setting in SETTINGS} == known
    for setting in SETTINGS:
        load(tmp_path, f"[tool.loopsafe]\n{setting.key} = {setting.example}\n")


def test_editor_mistakes_name_the_setting() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings().with_overrides({"severity": {"blocking-http": "loud"}})
    assert str(caught.value).startswith("setting `loopsafe.severity`: blocking-http must be")


def test_codes_are_checked_and_made_single() -> None:
    assert check_codes(["blocking-http", "blocking-http"]) == ("blocking-http",)
    with pytest.raises(ValueError, match="unknown rule `nested_loop`, did you mean `nested-loop`"):
        check_codes(["nested_loop"])


def test_every_idiom_of_the_fixes_can_be_chosen() -> None:
    from loopsafe.config.document import read_toml

    folder = Path(__file__).parents[1] / "server" / "loopsafe" / "fixes"
    _, document = read_toml(folder / "idioms.toml")
    assert {idiom["name"] for idiom in document["idiom"]} | {"auto"} == set(OFFLOADS)
