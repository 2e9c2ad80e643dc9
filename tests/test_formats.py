"""The formats of CI, baselines, stdin and comments in bulk, as a shell sees them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from loopsafe.cli import main

Run = Callable[..., tuple[int, str, str]]
HELPER = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
APP = (
    "import time\nimport helper\n\n\nasync def tick():\n    'é'; time.sleep(1)\n    helper.wait()\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in a project of two files."""
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "LOOPSAFE_OUTPUT_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(("check", *arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_sarif(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--output-format", "sarif")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["version"] == "2.1.0"
    [sarif] = document["runs"]
    assert sarif["originalUriBaseIds"]["PROJECTROOT"]["uri"] == f"{tmp_path.as_uri()}/"
    [rule] = sarif["tool"]["driver"]["rules"]
    assert rule["id"] == "blocking-sleep"
    assert rule["help"]["markdown"].startswith("# blocking-sleep")
    direct, deep = sarif["results"]
    assert direct["level"] == "warning"
    assert direct["message"]["text"].startswith("time.sleep() blocks the event loop. ")
    place = direct["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "app.py", "uriBaseId": "PROJECTROOT"}
    assert place["region"] == {"startLine": 6, "startColumn": 10, "endLine": 6, "endColumn": 20}
    assert direct["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "app.tick"
    [fix, *_] = direct["fixes"]
    [change] = fix["artifactChanges"]
    assert "await asyncio.sleep" in "".join(
        replacement.get("insertedContent", {}).get("text", "")
        for replacement in change["replacements"]
    )
    assert "codeFlows" not in direct
    [flow] = deep["codeFlows"]
    steps = [step["location"] for step in flow["threadFlows"][0]["locations"]]
    assert [step["message"]["text"] for step in steps] == [
        "tick calls helper.wait()",
        "wait calls time.sleep()",
    ]
    assert steps[1]["physicalLocation"]["artifactLocation"]["uri"] == "helper.py"


def _shape(value: Any, where: str = "") -> None:
    """What the standard asks of every region, index and message."""
    if isinstance(value, list):
        for item in value:
            _shape(item, where)
    if not isinstance(value, dict):
        return
    if "startLine" in value:
        assert (value["startLine"], value["startColumn"]) <= (value["endLine"], value["endColumn"])
        assert min(value.values()) >= 1
    if where in ("message", "description", "shortDescription", "fullDescription"):
        assert value["text"]
    for key, item in value.items():
        assert item not in (None, ""), key
        _shape(item, key)


def test_sarif_keeps_to_the_standard(run: Run) -> None:
    document = json.loads(run("--output-format", "sarif")[1])
    _shape(document)
    for result in document["runs"][0]["results"]:
        rules = document["runs"][0]["tool"]["driver"]["rules"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_fingerprints_outlive_moved_lines(run: Run, tmp_path: Path) -> None:
    def prints() -> list[str]:
        [sarif] = json.loads(run("--output-format", "sarif")[1])["runs"]
        return [result["partialFingerprints"]["loopsafe/v1"] for result in sarif["results"]]

    before = prints()
    assert len(set(before)) == 2
    (tmp_path / "app.py").write_text("\n\n" + APP, encoding="utf-8")
    assert prints() == before


def test_github(run: Run) -> None:
    code, out, err = run("--output-format", "github")
    assert (code, err) == (1, "")
    first, second = out.splitlines()
    assert first.startswith(
        "::warning title=Loopsafe (blocking-sleep),file=app.py,line=6,col=10,endLine=6,"
        "endColumn=20::app.py:6:10: blocking-sleep: time.sleep() blocks the event loop%0A"
    )
    assert "%0Ahelper.py:5: wait calls time.sleep()%0A" in second


def test_gitlab(run: Run) -> None:
    issues = json.loads(run("--output-format", "gitlab")[1])
    assert [issue["location"]["path"] for issue in issues] == ["app.py", "app.py"]
    assert issues[0]["description"] == "blocking-sleep: time.sleep() blocks the event loop"
    assert issues[0]["severity"] == "major"
    assert issues[0]["location"]["positions"]["begin"] == {"line": 6, "column": 10}
    assert len({issue["fingerprint"] for issue in issues}) == 2


def test_junit(run: Run, tmp_path: Path) -> None:
    root = ElementTree.fromstring(run("--output-format", "junit")[1])
    assert root.attrib == {"name": "loopsafe", "tests": "2", "failures": "2"}
    [suite] = root
    assert [case.get("name") for case in suite] == [
        "blocking-sleep at 6:10",
        "blocking-sleep at 7:5",
    ]
    assert "wait calls time.sleep()" in (suite[1][0].text or "")
    (tmp_path / "app.py").unlink()
    code, out, _ = run("--output-format", "junit")
    assert code == 0
    assert ElementTree.fromstring(out)[0][0].get("name") == "No findings"


def test_format_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPSAFE_OUTPUT_FORMAT", "concise")
    assert run()[1].startswith("app.py:6:10: warning[blocking-sleep]")
    assert run("--output-format", "json")[1].startswith("[")
    monkeypatch.setenv("LOOPSAFE_OUTPUT_FORMAT", "sarf")
    code, _, err = run()
    assert (code, "did you mean `sarif`?" in err) == (2, True)


def test_output_goes_to_a_file(run: Run, tmp_path: Path) -> None:
    told = run("--output-format", "json")
    code, out, err = run("--output-format", "json", "--output-file", "found.json")
    assert (code, out, err) == (1, "", "")
    assert (tmp_path / "found.json").read_text("utf-8") == told[1]
    assert run("--output-file", str(tmp_path / "no" / "x"))[0] == 2


def test_stdin(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return run("-", "--output-format", "concise", *arguments)

    (tmp_path / "app.py").write_text("")
    code, out, err = given(APP, "--stdin-filename", "app.py")
    assert (code, err) == (1, "")
    assert out.startswith("app.py:6:10: warning[blocking-sleep]: time.sleep()")
    assert "helper.wait() blocks" in out
    assert given("x = 1\n")[:2] == (0, "All checks passed!\n")
    assert given(APP)[1].startswith("stdin.py:6:10: ")
    assert given(APP, "--fix")[0] == 2
    assert run("-", "app.py")[0] == 2


def test_baseline(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "baseline.json"
    assert run("--write-baseline", "baseline.json") == (
        0,
        "Wrote 2 findings to baseline.json.\n",
        "",
    )
    entries = json.loads(path.read_text("utf-8"))["findings"]
    assert {"path": "app.py", "rule": "blocking-sleep", "function": "app.tick"}.items() <= entries[
        0
    ].items()
    assert run("--baseline", "baseline.json")[0] == 0
    (tmp_path / "app.py").write_text("# moved\n" + APP, encoding="utf-8")
    assert run("--baseline", "baseline.json")[0] == 0
    more = APP + "    time.sleep(2)\n"
    (tmp_path / "app.py").write_text(more, encoding="utf-8")
    assert run("--baseline", "baseline.json", "--output-format", "concise")[1].startswith(
        "app.py:8:"
    )
    mended = APP.replace("    helper.wait()\n", "")
    (tmp_path / "app.py").write_text(mended, encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    before = path.read_text("utf-8")
    code, _, err = run("--baseline", "baseline.json")
    assert (code, err) == (0, "loopsafe: 1 mended finding can be taken out of the baseline\n")
    assert path.read_text("utf-8") == before
    monkeypatch.delenv("CI")
    assert run("--baseline", "baseline.json", "--select", "blocking-file")[2] == ""
    assert "1 mended finding taken out" in run("--baseline", "baseline.json")[2]
    assert len(json.loads(path.read_text("utf-8"))["findings"]) == 1
    assert run("--baseline", "baseline.json") == (0, "All checks passed!\n", "")
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    assert run("--baseline", "baseline.json")[0] == 1


def test_wrong_baseline(run: Run, tmp_path: Path) -> None:
    assert run("--baseline", "none.json")[0] == 2
    (tmp_path / "wrong.json").write_text("[]")
    assert "is no baseline" in run("--baseline", "wrong.json")[2]


def test_comments_are_added_in_bulk(run: Run, tmp_path: Path) -> None:
    assert run("--add-ignore=old code") == (0, "Added 2 ignore comments in 1 file.\n", "")
    text = (tmp_path / "app.py").read_text("utf-8")
    assert text == APP.replace(
        "(1)\n", "(1)  # loopsafe: ignore[blocking-sleep] old code\n"
    ).replace("wait()\n", "wait()  # loopsafe: ignore[blocking-sleep] old code\n")
    assert run() == (0, "All checks passed!\n", "")
    assert run("--add-ignore", "--fix")[0] == 2
    (tmp_path / "app.py").write_text(f"{APP}\nasync def broken(:\n    time.sleep(1)\n", "utf-8")
    code, out, err = run("--add-ignore")
    assert (code, out) == (2, "Added 0 ignore comments in 0 files.\n")
    assert "no comment was added: the file does not parse" in err


def test_settings_of_the_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nignore = ["blocking-sleep"]\n')
    assert run()[0] == 0
    assert run("--isolated")[0] == 1
    assert run("--config", "ignore = []")[0] == 1
    assert (
        run(
            "--config",
            "ignore=[]",
            "--config",
            "per-file-ignores = { 'app.py' = ['blocking-sleep'] }",
        )[0]
        == 0
    )
    (tmp_path / "other.toml").write_text("[tool.loopsafe]\n")
    assert run("--config", "other.toml")[0] == 1
    code, _, err = run("--config", "ignroe = []")
    assert (code, err) == (
        2,
        "loopsafe: error: --config: unknown key `ignroe`, did you mean `ignore`?\n",
    )
    assert run("--config", "ignore = [")[0] == 2
    assert run("--config", "none.toml")[0] == 2


def test_settings_and_files_are_shown(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--show-files")
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(tmp_path / "app.py"), str(tmp_path / "helper.py")]
    code, out, err = run("--show-settings", "--config", "not-blocking = ['shop.f']")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"# {tmp_path}"
    assert 'not-blocking = ["shop.f"]' in out.splitlines()


def test_settings_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("config",)) == 0
    assert "offload-functions   Functions that run" in capsys.readouterr().out
    assert main(("config", "offload")) == 0
    assert '    offload = "anyio"\n' in capsys.readouterr().out
    assert main(("config", "offlod")) == 2
    assert "did you mean `offload`?" in capsys.readouterr().err
