"""An import, or another name at the top of a module, comes and goes: what speaks of it is found
anew, and what does not stays as it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.engine import Engine, FileReport
from loopsafe.facts.extract import extract
from loopsafe.facts.ir import Imported
from loopsafe.facts.sources import Sources
from loopsafe.facts.speakers import speakers

SETTINGS = Settings(second_opinion=False)

FIXED = {
    "app/__init__.py": "",
    "app/wait.py": """
import functools
import time

def pause(n=1):
    time.sleep(1)

def calm(n=1):
    return n

def retried(function):
    @functools.wraps(function)
    def wrapper(*args):
        time.sleep(1)
        return function(*args)
    return wrapper

def plain(function):
    return function

class Slow:
    def get(self):
        time.sleep(1)

class Quick:
    def get(self):
        return 1

class Box:
    item = None

box = Box()
""",
    "app/main.py": """
import app.user
from app import more, user
from app.more import *
from app.wait import box
from app.user import Holder
from app.user import given
from app.user import held
from app.user import keep
from app.user import later
from app.user import outer
from app.user import shared
from app.user import taken
from app.user import use

async def main(x: user.Alias, holder: Holder):
    use()
    outer()
    given()
    later()
    taken(x)
    x.get()
    holder.go()
    holder.kept.get()
    holder.put().get()
    held.get()
    shared.get()
    box.item.get()
    user.table["a"]()
    app.user.do()
    more.do()
    again()
    more.Child().get()
    keep(box)
""",
}

BODIES = {
    "app/user.py": """
import asyncio
from fastapi import FastAPI, Depends
from app.wait import box

api = FastAPI()
shared = None

held = Kind()

Alias = Kind

table = {"a": do, "b": lambda: do(1)}

def keep(x):
    x.item = Kind()

def keep_local():
    found = Kind()
    box.item = found

def use():
    do(1)

def result():
    return Kind()

def other():
    print("nothing of it")

async def first():
    result().get()
    use()

async def quiet():
    other()

def outer():
    made = do
    def inner():
        made(1)
    inner()

@wrap
def given(x=1):
    return x

def later(call=lambda: do(1)):
    call()

def taken(x: Kind):
    x.get()

def share():
    global shared
    shared = Kind()

class Holder:
    def __init__(self):
        kept = Kind()
        self.kept = kept

    def go(self):
        do(1)
        self.named()

    def put(self) -> Kind:
        return self.kept

    def named(self):
        globals()["do"](1)

class Child(Kind):
    pass

@api.get("/")
async def handle(x=Depends(do)):
    asyncio.get_running_loop().call_soon(do)
    Child().get()
    Holder().kept.get()
""",
    "app/more.py": """
from app import user

def again():
    do(1)

async def run():
    again()
    user.use()
    user.held.get()

def do_it(x):
    x.get()

async def pass_it():
    do_it(Kind())
    if do:
        do_it(user.result())

class Child(Kind):
    pass
""",
}

TOPS = (
    (
        "from app.wait import pause as do",
        "from app.wait import calm as do",
        "from time import sleep as do",
    ),
    ("from app.wait import Slow as Kind", "from app.wait import Quick as Kind", "class Kind: ..."),
    ("from app.wait import retried as wrap", "from app.wait import plain as wrap", "wrap = print"),
)
"""What each of three names may be."""


def _some(text: str, between: str, chance: random.Random) -> str:
    """A text without some of its parts."""
    parts = text.split(between)
    # What is told of a class is too much for the short way.
    return between.join(p for p in parts if chance.random() < (0.15 if "class" in p else 0.6))


def _headed(body: str, tops: list[str], chance: random.Random) -> str:
    """A text with the names that it speaks of, one of which means something else now."""
    one = chance.randrange(len(tops))
    tops[one] = chance.choice(("", *TOPS[one]))
    if chance.random() < 0.3:
        body = body.replace("    do(1)\n", "    do(2)\n    print(do)\n", chance.randrange(3))
    return "\n".join([*tops, body])


def _shown(report: FileReport) -> tuple[object, ...]:
    return report.findings, report.problems


@pytest.mark.parametrize("seed", [0, 4, 5, 6, 9, 11])
def test_answers_after_imports_are_those_of_a_fresh_engine(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    bodies = {name: _some(body, "\n\n", chance) for name, body in BODIES.items()}
    tops = {name: [options[0] for options in TOPS] for name in bodies}
    texts = {**FIXED, **{name: _headed(bodies[name], tops[name], chance) for name in bodies}}
    head, between, calls = FIXED["app/main.py"].partition("async def main")
    if seed % 4:
        head = _some(head.replace("from app.more import *\n", ""), "\n", chance)
    texts["app/main.py"] = f"{head}\n{between}" + _some(calls, "\n    ", chance)
    (tmp_path / "app").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    engine = Engine(tmp_path, SETTINGS)
    engine.index()
    for _ in range(20):
        name = chance.choice(list(bodies))
        texts[name] = _headed(bodies[name], tops[name], chance)
        engine.open_text(str(tmp_path / name), texts[name])
        (tmp_path / name).write_text(texts[name])
        fresh = Engine(tmp_path, SETTINGS)
        fresh.index()
        for file in (str(tmp_path / name) for name in texts):
            found, told = (_shown(one.report(file)) for one in (engine, fresh))
            assert found == told, (seed, name, file, texts[name])


SPEAKING = """
log = get(1)
def plain():
    other()
def inside(x):
    return lambda: get(x)
def by_log():
    log.info("")
def headed(x=log): ...
async def calls():
    headed()
"""


def test_what_speaks_of_a_name_does_so_by_what_is_made_of_it_too() -> None:
    found = speakers(extract(SPEAKING), ["get"], SPEAKING)
    assert found is not None
    names = [function.name for function in extract(SPEAKING).functions]
    assert found.names == {"get", "log", "headed"}
    assert [names[number] for number in sorted(found.heads)] == ["headed"]
    spoken = [names[number] for number in sorted(found.functions)]
    assert spoken == ["<module>", "inside", "<lambda>", "by_log", "headed", "calls"]


@pytest.mark.parametrize(
    "text",
    [
        "class Child(get): ...\n",
        "class Child:\n    one = get()\n",
        "class Child:\n    def get_it(self) -> get: ...\n",
        "class Child:\n    def set(self):\n        found = get()\n        self.found = found\n",
        "if get:\n    import json\n",
        "def share():\n    global found\n    got = get()\n    found = got\n",
        "get.known = 1\n",
    ],
)
def test_what_others_see_of_a_name_in_other_ways_is_too_much(text: str) -> None:
    assert speakers(extract(text), ["get"], text) is None
    assert speakers(extract(text), ["put"], text) is not None


SOURCES = {
    "from app.user import do": True,
    "from app.user import other\nother.do()": False,
    "from app import user\nuser.do()": True,
    "from app import user\nuser.other()": False,
    "import app.user as u\nu.do()": True,
    "import app.more\napp.user.do()": True,
    "from json import do\nfrom app import user": False,
    "import json\njson.do()": False,
    "from importlib import import_module\nimport_module(x).do()": True,
    "__import__('app.user').do()": True,
    "import sys\ngetattr(sys.modules['app.user'], 'do')": True,
}


@pytest.mark.parametrize("text", SOURCES)
def test_a_module_speaks_of_another_by_what_it_imports(text: str) -> None:
    def means(part: Imported) -> bool:
        return part.module == "app.user"

    assert Sources(extract(text)).may_speak("app.user", {"do"}, means) is SOURCES[text]
