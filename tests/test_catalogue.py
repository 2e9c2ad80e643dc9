"""The catalogue that comes with Loopsafe answers the questions of the other stages."""

from __future__ import annotations

import pytest

from knowledge.count import count
from loopsafe.knowledge.catalogue import Catalogue, load
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost, Place


@pytest.fixture
def catalogue() -> Catalogue:
    return load()


def method(catalogue: Catalogue, owner: str, name: str) -> Blocking | None:
    known = catalogue.klass(owner)
    assert known is not None
    return known.blocking(name)


@pytest.mark.parametrize(
    ("name", "category", "cost"),
    [
        ("time.sleep", "sleep", Cost.STALL),
        ("requests.get", "http", Cost.STALL),
        ("requests.api.get", "http", Cost.STALL),
        ("httpx.post", "http", Cost.STALL),
        ("httpx2.get", "http", Cost.STALL),
        ("niquests.get", "http", Cost.STALL),
        ("niquests.api.get", "http", Cost.STALL),
        ("socket.getaddrinfo", "dns", Cost.STALL),
        ("builtins.open", "file", Cost.BRIEF),
        ("os.stat", "file", Cost.TRIVIAL),
        ("genericpath.exists", "file", Cost.TRIVIAL),
        ("shutil.rmtree", "file", Cost.BRIEF),
        ("subprocess.run", "subprocess", Cost.STALL),
        ("os.system", "subprocess", Cost.STALL),
        ("psycopg2.connect", "database", Cost.STALL),
        ("concurrent.futures.wait", "future", Cost.STALL),
        ("builtins.input", "input", Cost.STALL),
        ("bcrypt.hashpw", "cpu", Cost.STALL),
        ("asyncio.run", "loop", Cost.STALL),
    ],
)
def test_functions_have_a_category_and_a_cost(
    catalogue: Catalogue, name: str, category: str, cost: Cost
) -> None:
    known = catalogue.function(name)
    assert known is not None
    assert (known.category, known.cost) == (category, cost)


@pytest.mark.parametrize(
    ("owner", "name", "shown", "category"),
    [
        ("requests.sessions.Session", "get", "requests.Session.get", "http"),
        ("httpx.Client", "post", "httpx.Client.post", "http"),
        ("sqlalchemy.orm.session.Session", "execute", "sqlalchemy.orm.Session.execute", "database"),
        ("sqlmodel.Session", "exec", "sqlmodel.Session.exec", "database"),
        ("sqlmodel.Session", "commit", "sqlmodel.Session.commit", "database"),
        ("redis.client.Redis", "get", "redis.Redis.get", "database"),
        ("pymongo.collection.Collection", "find_one", None, "database"),
        ("botocore.client.BaseClient", "put_object", "boto3.client.put_object", "network"),
        ("pathlib.Path", "read_text", "pathlib.Path.read_text", "file"),
        ("threading.Event", "wait", "threading.Event.wait", "lock"),
        ("concurrent.futures._base.Future", "result", "concurrent.futures.Future.result", "future"),
        ("subprocess.Popen", "communicate", "subprocess.Popen.communicate", "subprocess"),
        (
            "openai.resources.chat.completions.completions.Completions",
            "create",
            "openai.OpenAI.chat.completions.create",
            "http",
        ),
        ("passlib.context.CryptContext", "verify", None, "cpu"),
    ],
)
def test_methods_are_found_by_the_class_of_the_receiver(
    catalogue: Catalogue, owner: str, name: str, shown: str | None, category: str
) -> None:
    known = method(catalogue, owner, name)
    assert known is not None
    assert known.category == category
    assert known.name == (shown or f"{owner}.{name}")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("redis.asyncio.client.Redis", "get"),
        ("redis.client.Pipeline", "set"),
        ("httpx.AsyncClient", "get"),
        ("sqlalchemy.ext.asyncio.session.AsyncSession", "execute"),
        ("sqlalchemy.orm.Session", "add"),
        ("pymongo.collection.Collection", "find"),
        ("asyncio.tasks.Task", "result"),
        ("asyncio.locks.Event", "wait"),
        ("io.BytesIO", "read"),
        ("io.StringIO", "write"),
        ("ssl.SSLObject", "read"),
        ("queue.Queue", "put_nowait"),
        ("threading.Event", "is_set"),
        ("openai.AsyncOpenAI", "post"),
        ("aiohttp.client.ClientSession", "get"),
        ("pathlib.Path", "with_suffix"),
    ],
)
def test_what_does_not_block_is_known_not_to(catalogue: Catalogue, owner: str, name: str) -> None:
    known = catalogue.klass(owner)
    assert known is not None
    assert known.blocking(name) is None
    assert known.is_harmless(name)


def test_unknown_names_have_no_answer(catalogue: Catalogue) -> None:
    assert catalogue.function("requests.nothing") is None
    assert catalogue.klass("nowhere.Class") is None
    assert catalogue.runner("nowhere.run") is None
    assert not catalogue.harmless("requests.get")
    assert not catalogue.harmless("asyncio.run")
    assert catalogue.harmless("asyncio.sleep")


def test_conditions_and_twins_come_with_the_entry(catalogue: Catalogue) -> None:
    sleep = catalogue.function("time.sleep")
    assert sleep is not None
    assert sleep.twin == "asyncio.sleep"
    assert [(item.position, item.equals) for item in sleep.harmless_if] == [(0, 0)]
    get = method(catalogue, "queue.Queue", "get")
    assert get is not None
    assert {(item.argument, item.equals) for item in get.harmless_if} == {
        ("block", False),
        ("timeout", 0),
    }
    put = method(catalogue, "queue.Queue", "put")
    assert put is not None
    assert [item.argument for item in put.only_if_made] == ["maxsize"]


def test_results_that_source_cannot_tell(catalogue: Catalogue) -> None:
    assert catalogue.returns("boto3.client") == "botocore.client.BaseClient"
    client = catalogue.klass("pymongo.MongoClient")
    assert client is not None
    assert client.returns["__getitem__"] == "pymongo.database.Database"
    openai = catalogue.klass("openai.OpenAI")
    assert openai is not None
    chat = catalogue.klass(openai.attributes["chat"])
    assert chat is not None
    assert method(catalogue, chat.attributes["completions"], "create") is not None


def test_a_dotted_method_is_a_class_and_a_name(catalogue: Catalogue) -> None:
    member = catalogue.member("requests.Session.get")
    assert member is not None
    known, name = member
    assert (known.name, name) == ("requests.Session", "get")
    assert catalogue.member("requests.get") is None


def test_runners_say_where_a_callable_runs(catalogue: Catalogue) -> None:
    to_thread = catalogue.runner("asyncio.to_thread")
    assert to_thread is not None
    assert to_thread.offloads
    assert (to_thread.position, to_thread.sync, to_thread.gives) == (0, Place.THREAD, "awaitable")
    depends = catalogue.runner("fastapi.param_functions.Depends")
    assert depends is not None
    assert (depends.role, depends.sync, depends.coroutine, depends.library) == (
        "dependency",
        Place.THREAD,
        Place.LOOP,
        "FastAPI",
    )
    app = catalogue.klass("fastapi.applications.FastAPI")
    assert app is not None
    assert app.runners["get"].decorated
    assert app.runners["get"].convertible
    assert (app.runners["on_event"].sync, app.runners["on_event"].once) == (Place.LOOP, True)
    loop = catalogue.klass("asyncio.events.AbstractEventLoop")
    assert loop is not None
    assert (loop.runners["run_in_executor"].position, loop.runners["run_in_executor"].sync) == (
        1,
        Place.THREAD,
    )
    assert loop.runners["call_soon"].sync is Place.LOOP


def test_runner_words_are_known_before_any_library_is_asked_for() -> None:
    fresh = load.__wrapped__()
    wanted = {"to_thread", "run_in_executor", "Depends", "get", "submit"}
    assert wanted <= fresh.words.places.keys()
    assert {"requests", "os", "fastapi", "builtins"} <= fresh.libraries


def test_a_class_has_one_name_among_its_spellings(catalogue: Catalogue) -> None:
    assert catalogue.canonical("_io.BytesIO") == catalogue.canonical("io.BytesIO") == "io.BytesIO"
    assert catalogue.canonical("nowhere.Class") == "nowhere.Class"


def test_builders_give_another_of_their_class(catalogue: Catalogue) -> None:
    query = catalogue.klass("sqlalchemy.orm.query.Query")
    assert query is not None
    assert query.returns["filter"] == "sqlalchemy.orm.Query"


def test_decorators_change_what_a_call_does(catalogue: Catalogue) -> None:
    retry = catalogue.decorator("tenacity.retry")
    assert retry is not None
    assert retry.category == "sleep"
    assert [item.argument for item in retry.only_if] == ["wait"]
    assert catalogue.decorator("functools.cache") is None


def test_the_catalogue_covers_what_users_meet(catalogue: Catalogue) -> None:
    size = count(catalogue, look=False)
    print(size)
    assert len(size.libraries) >= 150
    assert size.listed >= 1500
