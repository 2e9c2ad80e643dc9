"""An engine that has seen a hundred edits answers as one that sees the files for the first time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.engine import Engine, FileReport
from loopsafe.resolve.shelf import Shelf

SETTINGS = Settings(second_opinion=False)

VARIANTS: dict[str, tuple[str, ...]] = {
    "app/__init__.py": ("", "from app.tools import work\n", "from app.tools import *\n"),
    "app/tools.py": (
        "import time\ndef work():\n    time.sleep(1)\n",
        "def work():\n    return 1\n",
        "import time\n\ndef other():\n    pass\n\ndef work():\n    other()\n    time.sleep(2)\n",
        "import time\ndef work(pause=time.sleep):\n    pause(1)\nclass Client:\n"
        "    def get(self):\n        time.sleep(1)\n",
        "class Client:\n    def get(self):\n        return 1\n    def put(self): ...\n",
        "from app.base import Store as Client\nfrom app.deep import work\n",
        "def work(:\n    import time\n    time.sleep(1)\n",
    ),
    "app/deep.py": (
        "import requests\ndef work():\n    requests.get('http://x')\n",
        "import requests\nsession = requests.Session()\ndef work():\n    session.get('http://x')\n",
        "async def work():\n    pass\n",
    ),
    "app/base.py": (
        "from abc import ABC, abstractmethod\nclass Store(ABC):\n"
        "    @abstractmethod\n    def get(self): ...\n",
        "class Store:\n    def get(self):\n        raise NotImplementedError\n",
        "class Store:\n    def get(self):\n        return open('x').read()\n",
    ),
    "app/stores.py": (
        "import time\nfrom app.base import Store\nclass Slow(Store):\n"
        "    def get(self):\n        time.sleep(1)\n",
        "from app.base import Store\nclass Fast(Store):\n    def get(self):\n        return 1\n",
        "import time\nfrom app.base import Store\nclass First: ...\nclass Slow(Store):\n"
        "    def put(self): ...\n    def get(self):\n        time.sleep(1)\n",
        "",
    ),
    "app/main.py": (
        "from app import tools\nfrom app.base import Store\n"
        "async def main(store: Store):\n    tools.work()\n    store.get()\n",
        "from app import work\nasync def main():\n    work()\n    work(print)\n",
        "import app.tools as t\nclient = t.Client()\nasync def main():\n    client.get()\n"
        "async def second():\n    await main()\n    t.work()\n",
        "from app.missing import work\nfrom app.api import handle\nasync def main():\n"
        "    work()\n    handle()\n",
    ),
    "app/routes.py": (
        "def routes(store):\n    async def handle():\n        store.get()\n    return handle\n",
        "class Task:\n    def __init__(self, run):\n        self.run = run\n"
        "    async def do(self):\n        self.run()\n",
        "class Base:\n    known = {}\n    async def go(self, name):\n"
        "        getattr(self, f'do_{name}')()\n        Base.known[name]().get()\n"
        "    def do_it(self):\n        open('x').read()\n",
    ),
    "app/routing.py": (
        "from app.routes import routes\nfrom app.stores import Slow\ndef start():\n"
        "    store = Slow()\n    return routes(store)\n",
        "from app.routes import routes, Task\nfrom app.deep import work\ndef start():\n"
        "    return Task(work), Task(run=len)\n",
        "from app.routes import Base\nfrom app.stores import Slow, Fast\nBase.known['a'] = Slow\n",
        "from app.routes import routes\nfrom app.stores import Fast\ndef start():\n"
        "    store = Fast()\n    return routes(store)\n",
    ),
    "app/api.py": (
        "from fastapi import FastAPI, Depends\nfrom app.deps import load\napi = FastAPI()\n"
        "@api.get('/')\ndef handle(x=Depends(load)):\n    pass\n",
        "from fastapi import FastAPI\napi = FastAPI()\n@api.get('/')\nasync def handle():\n"
        "    open('x').read()\n",
        "import asyncio\nfrom app.deps import load\n"
        "async def start():\n    await asyncio.to_thread(load)\n",
        "import asyncio\nfrom app.deps import load\n"
        "async def start():\n    asyncio.get_running_loop().call_soon(load)\n",
    ),
    "app/deps.py": (
        "import time\nasync def load():\n    time.sleep(1)\n",
        "import time\ndef load():\n    time.sleep(1)\n",
        "import time\ndef first(): ...\ndef load():\n    first()\n    time.sleep(1)\n",
        "from app.tools import work as load\n",
    ),
    "app/missing.py": ("import time\ndef work():\n    time.sleep(3)\n",),
    "requests.py": ("def get(url):\n    return url\nclass Session:\n    def get(self): ...\n",),
    "app/wiring.py": (
        "from app.slots import slots\nfrom app.tools import Client\nslots.client = Client()\n",
        "from app.slots import slots\nimport requests\nslots.client = requests.Session()\n",
        "from app.slots import slots\nslots.other = open\n",
        "",
    ),
    "app/slots.py": (
        "class Slots:\n    client = None\nslots = Slots()\n"
        "async def take():\n    slots.client.get()\n    slots.other('x')\n",
        "class Slots: ...\nslots = Slots()\nasync def take(s: Slots):\n    s.client.get()\n",
    ),
    "app/current.py": (
        "from contextvars import ContextVar\nfrom app.kinds import Kind\n"
        "current = ContextVar('c')\ndef begin(x):\n    current.set(x)\n",
        "from contextvars import ContextVar\ncurrent = ContextVar('c', default=None)\n"
        "def begin(x): ...\n",
    ),
    "app/kinds.py": (
        "import time\nfrom enum import Enum\nclass Kind(Enum):\n    ONE = 1\n"
        "    def get(self):\n        time.sleep(1)\n",
        "import time\nclass Kind:\n    ONE = staticmethod(time.sleep)\n    def get(self): ...\n",
    ),
    "app/begins.py": (
        "from app.current import begin\nfrom app.kinds import Kind\n"
        "def go():\n    begin(Kind.ONE)\n",
        "from app.current import current as now\nfrom app.tools import Client\n"
        "def go():\n    now.set(Client())\n",
        "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\n"
        "from app.kinds import Kind\n@asynccontextmanager\nasync def life(app):\n"
        "    yield {'kind': Kind.ONE}\ndef make():\n    return FastAPI(lifespan=life)\n",
        "from app.kept import App, life\ndef make():\n    return App(lifespan=life)\n",
    ),
    "app/kept.py": (
        "from contextlib import asynccontextmanager\nfrom starlette.applications import Starlette\n"
        "from app.tools import Client\nclass App(Starlette): ...\n@asynccontextmanager\n"
        "async def life(app):\n    state = {'kind': Client()}\n    yield state\n",
        "from app.tools import Client as App\nasync def life():\n    pass\n",
    ),
    "app/ends.py": (
        "from app.current import current\nfrom starlette.requests import Request\n"
        "async def use(request: Request):\n    current.get().get()\n"
        "    request.state.kind.get()\n",
        "from app.kinds import Kind\nasync def use(x):\n    Kind.ONE(1)\n    Kind['ONE'].get()\n"
        "    match x:\n        case Kind() as k:\n            k.get()\n",
    ),
    "app/callers.py": (
        "from app.api import handle\nfrom app.deps import load\n"
        "def use():\n    handle()\n    load()\n",
        "def use():\n    pass\n",
    ),
}
OPTIONAL = ("app/missing.py", "requests.py", "app/wiring.py")
ADDED = (
    *("", "# so it is", "x = 1", "print(", "time.sleep(3)", "work = print", "y = lambda: 2"),
    *("import time", "import app.tools", "from app.tools import work", "from app.base import *"),
    *("client = None", "session: int = 5", "import json as time", "get = put = open"),
)


def _files(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*.py"))


def _shown(report: FileReport) -> tuple[object, ...]:
    return (report.path, report.source.text, report.findings, report.problems)


def _engine(root: Path) -> Engine:
    engine = Engine(root, SETTINGS)
    engine.index()
    return engine


def _project(root: Path) -> Path:
    (root / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    for name, texts in VARIANTS.items():
        if name not in OPTIONAL:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(texts[0])
    return root


def _typed(text: str, chance: random.Random) -> str:
    """A text with one more line somewhere, finished or not."""
    lines = text.split("\n")
    line = chance.randrange(len(lines))
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    added = chance.choice(ADDED)
    return "\n".join([*lines[:line], indent + added, *lines[line:]])


def edits(root: Path, chance: random.Random, count: int) -> Iterator[tuple[Path, str | None]]:
    """Files with their next text; None removes one."""
    for _ in range(count):
        name = chance.choice(list(VARIANTS))
        path = root / name
        text = chance.choice(VARIANTS[name])
        if chance.random() < 0.3:
            text = f"# {chance.random()}\n" + text
        if chance.random() < 0.4:
            text = _typed(text, chance)
        if chance.random() < 0.2:
            text += f"\ndef added_{chance.randrange(3)}():\n    import time\n    time.sleep(1)\n"
        yield path, None if path.exists() and chance.random() < 0.15 else text


@pytest.mark.parametrize("seed", range(16))
def test_answers_after_edits_are_those_of_a_fresh_engine(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    root = _project(tmp_path)
    engine = _engine(root)
    buffers: dict[str, str] = {}
    for path, text in edits(root, chance, 30):
        name = str(path)
        if text is not None and path.exists() and chance.random() < 0.6:
            buffers[name] = text
            engine.open_text(name, text)
        elif name in buffers:
            del buffers[name]
            engine.close_text(name)
        else:
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
            engine.index()
            engine.forget([name])
        files = _files(root)
        asked = (
            chance.sample(files, chance.randrange(len(files))) if chance.random() < 0.7 else files
        )
        found = {file: _shown(engine.report(file)) for file in asked}
        fresh = Engine(root, SETTINGS)
        for file, buffer in buffers.items():
            fresh.open_text(file, buffer)
        fresh.index()
        for file in asked:
            assert found[file] == _shown(fresh.report(file)), (seed, path, text)


@pytest.mark.parametrize("known", ["clear", "load"])
def test_of_two_ways_alike_it_is_the_same_whatever_was_asked_before(
    tmp_path: Path, known: str
) -> None:
    helpers, main = tmp_path / "helpers.py", tmp_path / "main.py"
    helpers.write_text(
        "import shutil\n\n\n"
        "def clear():\n    shutil.rmtree('a')\n\n\n"
        "def load():\n    shutil.copytree('a', 'b')\n\n\n"
        "def both():\n    clear()\n    load()\n\n\n"
        f"async def other():\n    {known}()\n"
    )
    main.write_text("from helpers import both\n\n\nasync def main():\n    both()\n")
    first, later = _engine(tmp_path), _engine(tmp_path)
    later.report(str(helpers))
    found = first.report(str(main)).findings
    assert len(found) == 1
    assert found == later.report(str(main)).findings


def test_a_loop_for_whoever_has_none_rests_on_the_rest_of_its_function(tmp_path: Path) -> None:
    helper, main = tmp_path / "helper.py", tmp_path / "main.py"
    text = (
        "import asyncio\n\n\ndef start(job, is_sync):\n"
        "    if is_sync:\n        return asyncio.run(job)\n    return asyncio.create_task(job)\n"
    )
    helper.write_text(text)
    main.write_text(
        "from helper import start\n\n\nasync def main(job, flag):\n    start(job, flag)\n"
    )
    engine = _engine(tmp_path)
    assert not engine.report(str(main)).findings
    engine.open_text(str(helper), text.replace("asyncio.create_task(job)", "job"))
    assert len(engine.report(str(main)).findings) == 1
    engine.open_text(str(helper), text)
    assert not engine.report(str(main)).findings


def test_an_edit_leaves_reports_that_do_not_rest_on_it(tmp_path: Path) -> None:
    root = _project(tmp_path)
    engine = _engine(root)
    before = {file: engine.report(file) for file in _files(root)}
    tools = str(root / "app" / "tools.py")
    engine.open_text(tools, VARIANTS["app/tools.py"][0] + "\ndef further():\n    pass\n")
    after = {file: engine.report(file) for file in _files(root)}
    again = {Path(file).name for file in before if after[file] is not before[file]}
    assert again == {"tools.py", "main.py"}


def test_a_name_that_nobody_speaks_of_leaves_what_is_known(tmp_path: Path) -> None:
    root = _project(tmp_path)
    engine = _engine(root)
    before = {file: engine.report(file) for file in _files(root)}
    tools = str(root / "app" / "tools.py")
    for line in ("import colorsys", "LIMIT = 5", "from os import sep", "# a comment"):
        engine.open_text(tools, f"{line}\n{VARIANTS['app/tools.py'][0]}")
        after = {file: engine.report(file) for file in _files(root)}
        again = {Path(file).name for file in before if after[file] is not before[file]}
        # What goes through it may have other lines; what it leads to is as it was.
        assert again <= {"tools.py", "main.py", "kept.py"}
        assert [f.message for f in after[tools].findings] == [
            f.message for f in before[tools].findings
        ]


def _indexed(shelf: Shelf) -> int:
    """The questions that a shelf has in order."""
    index = shelf._index
    if index is None:
        return 0
    groups = (index.parts, index.scopes, index.registers, index.names, index.traced)
    return len(index.others) + sum(len(keys) for group in groups for keys in group.values())


def test_memory_does_not_grow_with_edits(tmp_path: Path) -> None:
    root = _project(tmp_path)
    engine = _engine(root)
    tools = str(root / "app" / "tools.py")
    main = str(root / "app" / "main.py")

    def sizes() -> tuple[int, ...]:
        resolver, chains = engine.resolver, engine._chains
        return (
            sum(len(shelf.answers) for shelf in resolver._shelves.values()),
            sum(len(shelf.traces) for shelf in resolver._shelves.values()),
            sum(map(_indexed, resolver._shelves.values())),
            sum(map(len, resolver._frames.values())),
            len(resolver._names),
            len(chains._ways),
            len(engine.table._bits),
        )

    text = VARIANTS["app/tools.py"][3]
    seen = []
    for number in range(200):
        engine.open_text(tools, text.replace("time.sleep(1)", f"time.sleep({number})", 1))
        engine.report(tools)
        engine.report(main)
        seen.append(sizes())
    assert seen[-1] == seen[10]


def test_what_blocks_of_functions_say_of_the_names_of_the_module(tmp_path: Path) -> None:
    """A name of the module is read where it is written, which may be deeper than the module is."""
    head = "x = None\n\n\ndef start():\n    global x\n    x = A()\n\n\n"
    tail = (
        "def f(a):\n    if a:\n        if a.b:\n            x.limit = 1\n"
        "            def inner(y=x):\n                pass\n"
        "            class Inner(x.A):\n                pass\n"
    )
    file = tmp_path / "app.py"
    file.write_text(f"{head}{tail}")
    engine = _engine(tmp_path)
    engine.report(str(file))
    engine.open_text(str(file), f"import time\n{head}{tail}time.sleep(1)\n")
    assert engine.report(str(file)).findings == ()


def test_files_of_one_name_stay_apart_when_another_file_is_made(tmp_path: Path) -> None:
    for name, text in (("a", "import time\n\n\nasync def f():\n    time.sleep(1)\n"), ("b", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        (tmp_path / name / "service.py").write_text(text)
    first, second = (str(tmp_path / name / "service.py") for name in ("a", "b"))
    engine = _engine(tmp_path)
    assert [len(engine.report(file).findings) for file in (first, second)] == [1, 0]
    made = tmp_path / "a" / "made.py"
    made.write_text("x = 1\n")
    engine.forget([str(made)])
    engine.open_text(second, "x = 2\n")
    assert [len(engine.report(file).findings) for file in (second, first)] == [0, 1]


def test_a_task_that_is_started_elsewhere_is_news_to_what_was_alone(tmp_path: Path) -> None:
    helpers, main = tmp_path / "helpers.py", tmp_path / "main.py"
    helpers.write_text("import time\n\n\nasync def work():\n    time.sleep(1)\n")
    text = (
        "import asyncio\n\nfrom helpers import work\n\n\nasync def other():\n    pass\n\n\n"
        "async def main():\n    print()\n    await work()\n\n\nasyncio.run(main())\n"
    )
    main.write_text(text)
    engine = _engine(tmp_path)
    (before,) = engine.report(str(helpers)).findings
    started = text.replace("print()", "asyncio.create_task(other())")
    engine.open_text(str(main), started)
    (after,) = engine.report(str(helpers)).findings
    main.write_text(started)
    assert (after,) == _engine(tmp_path).report(str(helpers)).findings
    assert before.severity is not after.severity


def test_what_sets_constants_by_name_is_news_to_who_relies_on_them(tmp_path: Path) -> None:
    conf, main = tmp_path / "conf.py", tmp_path / "main.py"
    text = "DEBUG = False\n\n\ndef begin():\n    return 1\n"
    conf.write_text(text)
    main.write_text(
        "import time\n\nimport conf\n\n\nasync def main():\n    if conf.DEBUG:\n"
        "        time.sleep(1)\n    conf.begin()\n"
    )
    engine = _engine(tmp_path)
    found = []
    for body in (
        "    return 1\n",
        "    print()\n",
        "    globals()['DEBUG'] = True\n",
        "    print()\n",
    ):
        engine.open_text(str(conf), text.replace("    return 1\n", body))
        found.append(len(engine.report(str(main)).findings))
    assert found == [0, 0, 1, 0]


def test_which_argument_decides_is_news_to_who_passes_one(tmp_path: Path) -> None:
    helpers, main = tmp_path / "helpers.py", tmp_path / "main.py"
    always = "import time\ndef load(name, wait):\n    print(name)\n    time.sleep(1)\n"
    asked = always.replace("    time.sleep", "    if wait:\n        time.sleep")
    helpers.write_text(always)
    main.write_text("from helpers import load\nasync def main():\n    load('a', False)\n")
    engine = _engine(tmp_path)
    engine.open_text(str(helpers), always)
    assert len(engine.report(str(main)).findings) == 1
    engine.open_text(str(helpers), asked)
    assert engine.report(str(main)).findings == ()
    engine.open_text(str(helpers), always)
    assert len(engine.report(str(main)).findings) == 1


def _assert_followed(
    root: Path, edited: Path, main: Path, states: Iterable[tuple[str, int]]
) -> None:
    """How many findings a file has with each text of another one: in an engine that follows the
    edits, and in a fresh one."""
    engine = _engine(root)
    for text, count in states:
        engine.open_text(str(edited), text)
        assert len(engine.report(str(main)).findings) == count
        edited.write_text(text)
        assert len(_engine(root).report(str(main)).findings) == count


def test_what_a_method_asks_of_its_object_is_news_to_who_makes_one(tmp_path: Path) -> None:
    clients, main = tmp_path / "clients.py", tmp_path / "main.py"
    asking = (
        "import time\nclass Client:\n    def __init__(self, slow=False):\n"
        "        self.slow = slow\n        self.begin()\n    def begin(self):\n"
        "        if self.slow:\n            time.sleep(1)\n"
    )
    turned = asking.replace("if self.slow", "if not self.slow")
    plain = asking.replace("if self.slow", "if print")
    storing = asking + "    def end(self):\n        self.slow = input()\n"
    clients.write_text(asking)
    main.write_text("from clients import Client\nasync def main():\n    Client()\n")
    states = ((asking, 0), (turned, 1), (asking, 0), (plain, 1), (asking, 0), (storing, 1))
    _assert_followed(tmp_path, clients, main, states)


def test_what_an_object_keeps_for_its_methods_is_news_to_who_calls_them(tmp_path: Path) -> None:
    clients, main = tmp_path / "clients.py", tmp_path / "main.py"
    kept = (
        "import time\nclass Client:\n    def __init__(self, slow=False):\n"
        "        self.slow = slow\n    def work(self):\n        if self.slow:\n"
        "            time.sleep(1)\nclient = Client()\n"
    )
    turned = kept.replace("if self.slow", "if not self.slow")
    plain = kept.replace("if self.slow", "if print")
    storing = kept.replace("client =", "    def end(self):\n        self.slow = input()\nclient =")
    slow = kept.replace("slow=False", "slow=True")
    made = kept.replace("Client()", "Client(True)")
    bound = kept.replace("self.slow = slow", "self.slow = slow or print")
    set_later = kept + "client.slow = True\n"
    clients.write_text(kept)
    main.write_text("from clients import client\nasync def main():\n    client.work()\n")
    blocking = (turned, plain, storing, slow, made, bound, set_later)
    states = [(kept, 0), *(state for text in blocking for state in ((text, 1), (kept, 0)))]
    _assert_followed(tmp_path, clients, main, states)


def test_another_spelling_of_an_argument_is_news_to_who_passes_one(tmp_path: Path) -> None:
    helpers, main = tmp_path / "helpers.py", tmp_path / "main.py"
    spelled = (
        "import time\ndef load(name):\n    other = make(name)\n    key = name.strip()\n"
        "    if key == 'news':\n        time.sleep(1)\n"
    )
    other = spelled.replace("name.strip", "other.strip")
    helpers.write_text(spelled)
    main.write_text("from helpers import load\nasync def main():\n    load(' week ')\n")
    states = ((other, 1), (spelled, 0), (other, 1))
    _assert_followed(tmp_path, helpers, main, states)


def test_what_a_predicate_asks_is_news_to_who_passes_what_it_is_asked_about(
    tmp_path: Path,
) -> None:
    asked, helpers, main = (tmp_path / f"{name}.py" for name in ("asked", "helpers", "main"))
    there = "def exists(value):\n    return value is not None\n"
    lacking = there.replace("is not None", "is None")
    asked.write_text(there)
    helpers.write_text(
        "import time\nfrom asked import exists\ndef load(name=None):\n"
        "    if exists(name):\n        time.sleep(1)\n"
    )
    main.write_text("from helpers import load\nasync def main():\n    load()\n")
    states = ((there, 0), (lacking, 1), (there + "# b", 0), ("exists = print\n", 1))
    _assert_followed(tmp_path, asked, main, states)


def test_what_a_wrapper_does_with_what_it_hands_on_is_news_to_who_calls(tmp_path: Path) -> None:
    wrappers, helpers, main = (tmp_path / f"{name}.py" for name in ("wrappers", "helpers", "main"))
    plain = (
        "def traced(function):\n    def wrapper(*args, **kwargs):\n        print()\n"
        "        return function(*args, **kwargs)\n    return wrapper\n"
    )
    filling = plain.replace("print()", "kwargs['fast'] = False")
    shifted = plain.replace("print()", "args = args[1:]")
    wrappers.write_text(plain)
    helpers.write_text(
        "import time\nfrom wrappers import traced\n@traced\ndef load(fast=True):\n"
        "    if not fast:\n        time.sleep(1)\n"
    )
    main.write_text("from helpers import load\nasync def main():\n    load()\n")
    states = ((plain, 0), (filling, 1), (plain, 0), (shifted, 1), (plain, 0))
    _assert_followed(tmp_path, wrappers, main, states)


def test_what_a_wrapper_tries_is_news_to_who_calls(tmp_path: Path) -> None:
    wrappers, helpers, main = (tmp_path / f"{name}.py" for name in ("wrappers", "helpers", "main"))
    plain = (
        "import time\ndef retried(function):\n    def wrapper(*args, **kwargs):\n        try:\n"
        "            return function(*args, **kwargs)\n        except ValueError:\n"
        "            time.sleep(1)\n    return wrapper\n"
    )
    failing = plain.replace("return function", "print(open('a'))\n            return function")
    wrappers.write_text(plain)
    helpers.write_text("from wrappers import retried\n@retried\nasync def load():\n    return 1\n")
    main.write_text("from helpers import load\nasync def main():\n    await load()\n")
    states = ((plain, 0), (failing, 1), (plain, 0))
    _assert_followed(tmp_path, wrappers, main, states)


def test_what_a_look_for_the_loop_answers_is_news_to_who_asks(tmp_path: Path) -> None:
    looks, main = tmp_path / "looks.py", tmp_path / "main.py"
    asked = "import asyncio\ndef runs():\n    try:\n        asyncio.get_running_loop()\n"
    right = asked + "        return True\n    except RuntimeError:\n        return False\n"
    wrong = asked + "        return True\n    except ValueError:\n        return False\n"
    looks.write_text(right)
    main.write_text(
        "import time\nfrom looks import runs\nasync def main():\n    load()\n"
        "def load():\n    if not runs():\n        time.sleep(1)\n"
    )
    engine = _engine(tmp_path)
    engine.open_text(str(looks), right)
    for text, count in ((right, 0), (wrong, 1), (right, 0)):
        engine.open_text(str(looks), text)
        assert len(engine.report(str(main)).findings) == count


def test_what_asked_a_generator_before_is_news_to_who_asks_it(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    first = (
        "import time\ndef pages():\n    yield 1\n    time.sleep(1)\n"
        "async def main(log):\n    made = pages()\n    log(1)\n    next(made)\n"
    )
    second = first.replace("log(1)", "log(made)")
    main.write_text(first)
    engine = _engine(tmp_path)
    for text, count in ((first, 0), (second, 1), (first, 0)):
        engine.open_text(str(main), text)
        assert len(engine.report(str(main)).findings) == count


def test_what_stands_in_for_a_protocol_is_news_to_who_calls_it(tmp_path: Path) -> None:
    texts = {
        "asked.py": (
            "from typing import Protocol\nclass Store(Protocol):\n"
            "    def load(self, key: str) -> str: ...\n    def names(self) -> list: ...\n",
        ),
        "base.py": (
            "import time\nclass Base:\n    def load(self, key: str) -> str:\n"
            "        self.wait()\n        return key\n",
            "class Base:\n    def load(self, key: str) -> str:\n        return key\n",
        ),
        "heir.py": (
            "import time\nfrom base import Base\nclass Heir(Base):\n"
            "    def wait(self):\n        time.sleep(1)\n    def names(self) -> list: ...\n",
            "from base import Base\nclass Heir(Base):\n"
            "    def wait(self):\n        pass\n    def names(self) -> list: ...\n",
            "import time\nfrom base import Base\nclass Heir(Base):\n"
            "    def wait(self):\n        time.sleep(1)\n",
        ),
        "kinds.py": (
            "import inspect, time\ndef both(function):\n    def now():\n        time.sleep(1)\n"
            "        return function()\n    async def later():\n        return await function()\n"
            "    if inspect.iscoroutinefunction(function):\n        return later\n    return now\n",
            "import inspect, time\ndef both(function):\n    def now():\n        time.sleep(1)\n"
            "        return function()\n    async def later():\n        return await function()\n"
            "    if not inspect.iscoroutinefunction(function):\n        return later\n"
            "    return now\n",
        ),
        "made.py": (
            "from kinds import both\n@both\nasync def work(): ...\n",
            "from kinds import both\n@both\ndef work(): ...\n",
        ),
        "main.py": (
            "from asked import Store\nfrom made import work\n"
            "async def main(store: Store):\n    store.load('a')\n    work()\n",
        ),
    }
    for name, versions in texts.items():
        (tmp_path / name).write_text(versions[0], "utf-8")
    engine = _engine(tmp_path)
    files = [str(tmp_path / name) for name in texts]
    chance = random.Random(3)
    seen = set()
    for _ in range(16):
        assert [_shown(engine.report(f)) for f in files] == [
            _shown(_engine(tmp_path).report(f)) for f in files
        ]
        seen.add(len(engine.report(str(tmp_path / "main.py")).findings))
        name = chance.choice([n for n, versions in texts.items() if len(versions) > 1])
        text = chance.choice(texts[name])
        (tmp_path / name).write_text(text, "utf-8")
        engine.open_text(str(tmp_path / name), text)
    assert {0, 1} <= seen


def test_which_functions_handlers_are_made_of_is_news_to_what_they_call(tmp_path: Path) -> None:
    handlers, routes = tmp_path / "handlers.py", tmp_path / "routes.py"
    handlers.write_text(
        "def make(load):\n    async def one():\n        return load()\n    return one\n"
    )
    (tmp_path / "slow.py").write_text("import time\ndef load():\n    time.sleep(1)\n")
    start = "from handlers import make\nfrom slow import load\ndef quick(): ...\n"
    of_both = start + "table = [make(quick), make(load)]\n"
    of_quick = start + "table = [make(quick), make(quick)]\n"
    decorating = of_both + "@make\ndef other(): ...\n"
    routes.write_text(of_quick)
    states = ((of_both, 1), (of_quick, 0), (of_both, 1), (decorating, 0), (of_both, 1))
    _assert_followed(tmp_path, routes, handlers, states)


def test_what_a_branch_says_nothing_of_is_news_to_who_is_given_it(tmp_path: Path) -> None:
    kept, start = tmp_path / "kept.py", tmp_path / "start.py"
    kept.write_text("def make(shop):\n    async def one():\n        shop.load()\n    return one\n")
    (tmp_path / "shops.py").write_text(
        "import time\nclass Shop:\n    def load(self):\n        time.sleep(1)\n"
    )
    told = (
        "from kept import make\nfrom shops import Shop\nfrom nowhere import connect\n"
        "def start(later):\n    if later:\n        shop = Shop()\n"
        "    else:\n        shop = Shop()\n    return make(shop)\n"
    )
    half = told.replace("if later:\n        shop = Shop()", "if later:\n        shop = connect()")
    start.write_text(told)
    _assert_followed(tmp_path, start, kept, ((half, 0), (told, 1), (half, 0)))


def test_what_a_base_is_given_is_news_to_who_asks_for_it(tmp_path: Path) -> None:
    pump = (
        "import requests\n"
        "from homeassistant.helpers.update_coordinator import DataUpdateCoordinator\n\n\n"
        "class Pump(DataUpdateCoordinator):\n    def count(self):\n        requests.get('http://x')\n"
    )
    entity = (
        "from homeassistant.helpers.update_coordinator import CoordinatorEntity\n"
        "from pump import Pump\n\n\n"
        "class PumpEntity(CoordinatorEntity):\n    def __init__(self, pump: Pump):\n        {}\n"
    )
    switch = (
        "from entity import PumpEntity\n\n\nclass PumpSwitch(PumpEntity):\n"
        "    async def async_turn_on(self):\n        self.coordinator.count()\n"
    )
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    (tmp_path / "pump.py").write_text(pump)
    (tmp_path / "switch.py").write_text(switch)
    (tmp_path / "entity.py").write_text(entity.format("pass"))
    engine = _engine(tmp_path)
    for line, count in (("pass", 0), ("super().__init__(pump)", 1), ("super().__init__()", 0)):
        engine.open_text(str(tmp_path / "entity.py"), entity.format(line))
        assert len(engine.report(str(tmp_path / "switch.py")).findings) == count, line
