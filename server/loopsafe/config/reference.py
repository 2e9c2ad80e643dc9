"""What each setting is for, in words: for `loopsafe config`, and for the schema of editors."""

from __future__ import annotations

from typing import NamedTuple


class Setting(NamedTuple):
    """One key of `[tool.loopsafe]`."""

    key: str
    summary: str
    """One sentence."""
    kind: str
    default: str
    example: str
    """Its value, as TOML."""


SETTINGS = (
    Setting(
        "select",
        "Only these rules.",
        "list of rules",
        "every rule",
        '["blocking-http", "blocking-database"]',
    ),
    Setting("ignore", "Not these rules.", "list of rules", "[]", '["blocking-file"]'),
    Setting(
        "per-file-ignores",
        "Rules that are not reported in some files, named as in .gitignore.",
        "table of pattern = list of rules",
        "{}",
        '{ "scripts/" = ["blocking-file"], "**/legacy_*.py" = ["blocking-http"] }',
    ),
    Setting(
        "severity",
        "How loud the findings of a rule are: error, warning, information, hint or off.",
        "table of rule = level",
        "by what the call does",
        '{ blocking-lock = "error" }',
    ),
    Setting(
        "exclude",
        "Files and folders to skip, as in .gitignore, which counts too.",
        "list of patterns",
        "[]",
        '["migrations/", "scripts/*.py"]',
    ),
    Setting(
        "python",
        "The environment or interpreter of the project, to resolve its imports in.",
        "path",
        "found",
        '".venv"',
    ),
    Setting("source-roots", "Folders where imports start.", "list of paths", "found", '["src"]'),
    Setting(
        "offload",
        "How fixes reach a worker thread.",
        "auto, asyncio, anyio, trio, starlette, asgiref, asyncer, homeassistant or executor",
        '"auto", what the file already uses',
        '"anyio"',
    ),
    Setting(
        "blocking",
        "Functions that block, by name or pattern, with what to do instead.",
        "table of name = advice or entry, list of names, or array of entries",
        "{}",
        '{ "shop.billing.charge" = "await charge_later()" }',
    ),
    Setting(
        "not-blocking",
        "Functions that do not block, by name or pattern.",
        "list of names",
        "[]",
        '["shop.cache.*"]',
    ),
    Setting(
        "offload-functions",
        "Functions that run the callable that they are given in a worker thread.",
        "list of names, or table of name = number of the argument or entry",
        "[]",
        '["shop.tools.in_thread"]',
    ),
    Setting(
        "callback-functions",
        "Functions that run the callable that they are given on the event loop.",
        "list of names, or table of name = number of the argument or entry",
        "[]",
        '["shop.events.subscribe"]',
    ),
    Setting(
        "second-opinion",
        "Whether the editor asks jedi and astroid what stays unresolved.",
        "true or false",
        "true",
        "false",
    ),
)
