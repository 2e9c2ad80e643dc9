"""A start in the worst of folders: the server answers, and says what is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from lsp_editor import editor, server_command
from test_life import BLOCKING, _bundle

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

HOSTILE = "raise SystemExit('imported from the workspace')\n"
NAMES = ("ast", "typing", "json", "asyncio", "attr", "sitecustomize", "usercustomize")
RUBBISH = '[tool.loopsafe]\nselect = "everything\n'


def lay_out(folder: Path) -> Path:
    """A folder with everything that has ever broken a Python tool; gives the junk of its path."""
    junk = folder / "junk"
    for place in (folder, junk):
        place.mkdir(exist_ok=True)
        for name in NAMES:
            (place / f"{name}.py").write_text(HOSTILE)
        for package in ("pygls", "lsprotocol", "loopsafe", "cattrs", "typing_extensions"):
            (place / package).mkdir()
            (place / package / "__init__.py").write_text(HOSTILE)
    (junk / "broken.pth").write_text("import os; os._exit(3)\n")
    (folder / "pyproject.toml").write_text(RUBBISH)
    (folder / "big.py").write_text("import time\n" + "x = [1, 2, 3]  # data\n" * 480_000)
    (folder / "noise.py").write_bytes(os.urandom(5000))
    (folder / "nul.py").write_bytes(b"import time\0\n")
    (folder / "coded.py").write_bytes(b"# coding: no-such-thing\n\xff\n")
    (folder / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000 + "\n")
    (folder / ".gitignore").write_bytes(b"\xff[\n*.log\n")
    if sys.platform != "win32":
        (folder / "loop").mkdir()
        (folder / "loop" / "again").symlink_to(folder, target_is_directory=True)
        (folder / "self.py").symlink_to(folder / "self.py")
        (folder / "gone.py").symlink_to(folder / "nowhere.py")
        os.mkfifo(folder / "pipe.py")
        (folder / "closed").mkdir()
        (folder / "closed" / "secret.py").write_text(BLOCKING)
        (folder / "closed").chmod(0)
        (folder / "secret.py").write_text(BLOCKING)
        (folder / "secret.py").chmod(0)
    environment = folder / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_bytes(b"\xff\xfe version = nonsense\nhome = \0\n")
    return junk


async def test_the_worst_folder_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    junk = lay_out(folder)
    try:
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(junk), "/no/such/place", ""]),
            "PYTHONHOME": str(junk),
            "PYTHONSTARTUP": str(folder / "ast.py"),
        }
        bundle = os.environ.get("LOOPSAFE_SERVER") or _bundle(tmp_path / "bundle")
        mode = {"diagnosticMode": "workspace", "codeLens": "on"}
        async with editor(
            folder,
            command=server_command(bundle),
            cwd=folder,
            environment=variables,
            settings=mode,
        ) as ed:
            uri = ed.open(folder / "app.py", BLOCKING)
            [found] = await ed.pull(uri)
            assert ed.text_at(uri, found.range) == "time.sleep"
            assert await ed.hover(uri, "time.sleep")
            assert await ed.actions(uri, "time.sleep")
            assert await ed.lenses(uri)
            settings = (folder / "pyproject.toml").as_uri()
            [problem] = await ed.published_for(settings, None)
            assert problem.range.start.line == 1
            (folder / "other.py").write_text(BLOCKING)
            reported = {report.uri.rsplit("/", 1)[1] for report in await ed.pull_workspace()}
            assert "other.py" in reported
            assert not {"big.py", "pipe.py", "self.py", "gone.py"} & reported
            assert len(await ed.pull(uri)) == 1
        errors = [log.message for log in ed.client.log_messages if log.type == 1]
        assert errors == []
    finally:
        for name in ("closed", "secret.py"):
            if (folder / name).exists():
                (folder / name).chmod(0o755)
