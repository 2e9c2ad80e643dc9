"""A client becomes its async twin with all that is done with it, or stays as it is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from test_fix_everywhere import Project

from loopsafe.fixes.data import table
from loopsafe.knowledge import catalogue
from loopsafe.model import Safety

TEXT = """
    import redis
    from openai import OpenAI

    client: OpenAI = OpenAI(api_key="x")


    async def ask(text):
        vector = client.embeddings.create(model="m", input=text).data[0]
        return vector, client.chat.completions.create(model="m", messages=[], stream=False)


    class Store:
        def __init__(self, url):
            self.db = redis.Redis(host=url, decode_responses=True)

        async def get(self, key):
            if not self.db.exists(key):
                raise redis.RedisError
            return self.db.get(key).upper()

        async def shut(self):
            self.db.close()
"""


def after(project: Project, line: int) -> str:
    path = str(project.root / "app.py")
    finding = next(f for f in project.engine.report(path).findings if f.span.line == line)
    [fix] = project.engine.wide_fixes(finding)
    assert fix.safety is Safety.UNSAFE, fix.caveat
    return project.after(fix)["app"]


def test_a_global_client(tmp_path: Path) -> None:
    text = textwrap.dedent(TEXT).lstrip()
    changed = (
        text.replace("OpenAI", "AsyncOpenAI")
        .replace(
            '= client.embeddings.create(model="m", input=text)',
            '= (await client.embeddings.create(model="m", input=text))',
        )
        .replace("vector, client", "vector, await client")
    )
    assert after(Project(tmp_path, app=TEXT), 8) == changed


def test_a_client_that_an_object_holds(tmp_path: Path) -> None:
    text = textwrap.dedent(TEXT).lstrip()
    changed = (
        text.replace("import redis\n", "import redis.asyncio\n")
        .replace("redis.Redis(", "redis.asyncio.Redis(")
        .replace("not self.db", "not await self.db")
        .replace("self.db.get(key).upper()", "(await self.db.get(key)).upper()")
        .replace("self.db.close()", "await self.db.aclose()")
    )
    project = Project(tmp_path, app=TEXT)
    assert after(project, 17) == changed


ENTERED = """
    import httpx


    async def load(name):
        with httpx.Client() as client:
            return client.get(name).content
"""


def test_a_client_that_is_entered(tmp_path: Path) -> None:
    text = textwrap.dedent(ENTERED).lstrip()
    changed = text.replace("with httpx.Client", "async with httpx.AsyncClient").replace(
        "client.get(name)", "(await client.get(name))"
    )
    project = Project(tmp_path, app=ENTERED)
    assert after(project, 6) == changed


def test_a_client_that_is_entered_beside_something_else(tmp_path: Path) -> None:
    text = ENTERED.replace("with httpx", "with open(name), httpx")
    project = Project(tmp_path, app=text)
    findings = project.engine.report(str(tmp_path / "app.py")).findings
    [fix] = [fix for finding in findings for fix in project.engine.wide_fixes(finding)]
    assert fix.kind == "refused"
    assert "entered with something else" in fix.caveat


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("def plain():\n    client.embeddings.create()", "may not stand"),
        ("def plain():\n    return client", "has no async way"),
        ("async def g():\n    return client.with_options(timeout=1)", "has no async way"),
        ("async def g():\n    for x in client.embeddings.create(): print(x)", "is iterated"),
        ("async def g():\n    client.chat.completions.create(stream=True)", "only iterated"),
        ("def g(client):\n    pass", "is another thing"),
        ("def g():\n    global client\n    client = None", "is set anew"),
    ],
)
def test_it_stays_where_one_use_cannot_follow(tmp_path: Path, more: str, why: str) -> None:
    text = textwrap.dedent(TEXT) + "\n\n" + more + "\n"
    project = Project(tmp_path, app=text)
    [fix] = project.engine.wide_fixes(project.engine.report(str(tmp_path / "app.py")).findings[0])
    assert fix.kind == "refused"
    assert why in fix.caveat


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("from app import client\n\nkeep(client)\n", "more.py: what is done with `client`"),
        ("import app\n\n\ndef f():\n    return app.client.files\n", "in line 5 has no async way"),
        ("def f(patch):\n    patch('app.client')\n", "may be used in more.py:2"),
    ],
)
def test_it_stays_where_another_file_uses_it(tmp_path: Path, more: str, why: str) -> None:
    project = Project(tmp_path, app=TEXT, more=more)
    path = str(tmp_path / "app.py")
    [fix] = project.engine.wide_fixes(project.engine.report(path).findings[0])
    assert fix.kind == "refused"
    assert why in fix.caveat


def test_other_files_follow(tmp_path: Path) -> None:
    more = """
        import app


        async def first(text):
            return app.client.embeddings.create(model="m", input=text).data[0]
    """
    project = Project(tmp_path, app=TEXT, more=more)
    path = str(tmp_path / "app.py")
    [fix] = project.engine.wide_fixes(project.engine.report(path).findings[0])
    assert fix.title == "Make client an openai.AsyncOpenAI, and await all its calls (2 files)"
    assert "return (await app.client.embeddings.create(" in project.after(fix)["more"]


def test_every_class_of_the_table_has_a_twin() -> None:
    known = catalogue.load()
    for name in table("twins")["classes"]:
        entry = known.klass(name)
        assert entry is not None, name
        assert entry.twin, name
    assert set(table("twins")["closing"]) <= set(table("twins")["classes"])


STREAM = """
    from openai import OpenAI

    client = OpenAI()


    async def ask(text):
        answer = client.chat.completions.create(model="m", messages=[], stream=True)
        for part in answer:
            yield part


    async def ask_at_once(text):
        for part in client.chat.completions.create(model="m", messages=[], stream=True):
            yield part
"""


def test_an_answer_in_parts(tmp_path: Path) -> None:
    text = textwrap.dedent(STREAM).lstrip()
    changed = text.replace("OpenAI", "AsyncOpenAI").replace("    for", "    async for")
    changed = changed.replace("client.chat", "await client.chat")
    assert after(Project(tmp_path, app=STREAM), 7) == changed


@pytest.mark.parametrize(
    "use",
    [
        "answer.close()",
        "list(answer)",
        "yield answer",
        "for answer in (): pass",
        "f = lambda: answer",
    ],
)
def test_an_answer_in_parts_that_goes_elsewhere(use: str, tmp_path: Path) -> None:
    text = STREAM.replace(
        "        for part in answer:", f"        {use}\n        for part in answer:"
    )
    project = Project(tmp_path, app=text)
    path = str(project.root / "app.py")
    finding = next(f for f in project.engine.report(path).findings if f.span.line == 7)
    [fix] = project.engine.wide_fixes(finding)
    assert fix.kind == "refused"
    assert "is not only iterated" in fix.caveat


def test_a_local_client_is_offered_once(tmp_path: Path) -> None:
    text = """
        from openai import OpenAI

        async def ask(text):
            client = OpenAI()
            return client.embeddings.create(model="m", input=text)
    """
    project = Project(tmp_path, app=text)
    [finding] = project.engine.report(str(project.root / "app.py")).findings
    assert "Use openai.AsyncOpenAI" in [fix.title for fix in project.engine.fixes(finding)]
    assert not project.engine.wide_fixes(finding)
