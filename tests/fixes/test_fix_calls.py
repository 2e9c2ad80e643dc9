"""A call moves to a thread wherever it stands, and nothing around it changes."""

from __future__ import annotations

import pytest
from support import body, case, check, everything, line_after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("r = requests.get(u)", "r = await asyncio.to_thread(requests.get, u)"),
        ("requests.get()", "await asyncio.to_thread(requests.get)"),
        (
            "r = requests.get(u, k=1, *g, **g)",
            "r = await asyncio.to_thread(requests.get, u, k=1, *g, **g)",
        ),
        (
            "return requests.get(u).json()['a']",
            "return (await asyncio.to_thread(requests.get, u)).json()['a']",
        ),
        ("return requests.get(u)[0]", "return (await asyncio.to_thread(requests.get, u))[0]"),
        ("return requests.get(u)()", "return (await asyncio.to_thread(requests.get, u))()"),
        ("return (requests.get(u)).x", "return (await asyncio.to_thread(requests.get, u)).x"),
        ("return -requests.get(u) ** 2", "return -await asyncio.to_thread(requests.get, u) ** 2"),
        ("return(requests.get)(u)", "return await asyncio.to_thread((requests.get), u)"),
        (
            "return [requests.get(x) for x in u]",
            "return [await asyncio.to_thread(requests.get, x) for x in u]",
        ),
        (
            "return (x for x in requests.get(u))",
            "return (x for x in await asyncio.to_thread(requests.get, u))",
        ),
        (
            "g(requests.get(x for x in u))",
            "g(await asyncio.to_thread(requests.get, (x for x in u)))",
        ),
        (
            "return requests.get(await g(u))",
            "return await asyncio.to_thread(requests.get, await g(u))",
        ),
        ("requests.get(y := u)", "await asyncio.to_thread(requests.get, y := u)"),
        ("requests.get(u).x = 1", "(await asyncio.to_thread(requests.get, u)).x = 1"),
        ("requests.get(u).x += 1", "(await asyncio.to_thread(requests.get, u)).x += 1"),
        ("if x := requests.get(u): pass", "if x := await asyncio.to_thread(requests.get, u): pass"),
        ("while requests.get(u): pass", "while await asyncio.to_thread(requests.get, u): pass"),
        ("yield requests.get(u)", "yield await asyncio.to_thread(requests.get, u)"),
        ("g(*requests.get(u))", "g(*await asyncio.to_thread(requests.get, u))"),
        (
            "return f'{requests.get(u).text!r:>{g}}'",
            "return f'{(await asyncio.to_thread(requests.get, u)).text!r:>{g}}'",
        ),
        (
            "h = lambda x=requests.get(u): x",
            "h = lambda x=await asyncio.to_thread(requests.get, u): x",
        ),
        ("requests.get (u)", "await asyncio.to_thread(requests.get, u)"),
        ("requests.get( u )", "await asyncio.to_thread(requests.get, u )"),
    ],
)
def test_a_call_in_a_thread(before: str, after: str) -> None:
    assert line_after(body(before)) == after


def test_the_callee_may_be_any_expression() -> None:
    for callee in ("g[0].load", "(await g()).load", "(lambda x: x)", "g(u)(u)", "super().load"):
        found = body(
            f"r = {callee}(u)", callee=callee.strip("()") if "lambda" in callee else callee
        )
        assert line_after(found) == f"r = await asyncio.to_thread({callee}, u)"


def test_lines_and_comments_of_a_call_stay() -> None:
    check(
        case(
            """
            import asyncio
            import requests


            async def f(u):
                r = requests.get(  # slow
                    u,  # where
                    timeout=3,
                )
                s = (requests  # chained
                    .post(u,
                          data=r))
            """,
            "requests.get",
        ),
        """
        import asyncio
        import requests


        async def f(u):
            r = await asyncio.to_thread(
                requests.get,  # slow
                u,  # where
                timeout=3,
            )
            s = (requests  # chained
                .post(u,
                      data=r))
        """,
    )


def test_a_chain_over_lines_stays_in_its_lines() -> None:
    check(
        case(
            """
            import asyncio


            async def f(u, session):
                return (
                    session  # chained
                    .query(u)
                    .all()
                )
            """,
            "session  # chained\n        .query(u)\n        .all",
        ),
        """
        import asyncio


        async def f(u, session):
            return (
                await asyncio.to_thread(session  # chained
                .query(u)
                .all)
            )
        """,
    )


@pytest.mark.parametrize(
    ("before", "underlined", "after"),
    [
        ("return pool[k]", "pool[k]", "return await asyncio.to_thread(lambda: pool[k])"),
        ("return pool[k].a", "pool[k]", "return (await asyncio.to_thread(lambda: pool[k])).a"),
        ("if k in pool: pass", "pool", "if await asyncio.to_thread(lambda: k in pool): pass"),
        (
            "return not k in pool",
            "pool",
            "return not await asyncio.to_thread(lambda: k in pool)",
        ),
        ("return pool == k", "pool == k", "return await asyncio.to_thread(lambda: pool == k)"),
        ("return pool << k", "pool << k", "return await asyncio.to_thread(lambda: pool << k)"),
        ("pool[k] = v", "pool[k]", "await asyncio.to_thread(pool.__setitem__, k, v)"),
        ("pool[k] = v  # a", "pool[k]", "await asyncio.to_thread(pool.__setitem__, k, v)  # a"),
        (
            "self.pool['a'] = {'b': g(v)}",
            "self.pool['a']",
            "await asyncio.to_thread(self.pool.__setitem__, 'a', {'b': g(v)})",
        ),
        ("del pool[k]", "pool[k]", "await asyncio.to_thread(pool.__delitem__, k)"),
    ],
)
def test_an_operator_in_a_thread(before: str, underlined: str, after: str) -> None:
    assert line_after(body(before, callee=underlined, chain=2)) == after


@pytest.mark.parametrize(
    ("before", "underlined"),
    [
        ("pool[f()] = g()", "pool[f()]"),  # They would be called in another order.
        ("pool[k] = x = v", "pool[k]"),
        ("pool[1:2] = v", "pool[1:2]"),
        ("pool[k] += 1", "pool[k]"),
        ("return k in pool in other", "pool"),
        ("return pool[(x := k)]", "pool[(x := k)]"),
    ],
)
def test_operators_that_stay(before: str, underlined: str) -> None:
    assert body(before, callee=underlined, chain=2).cures == ()


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ("\n    u, k=1\n", "(\n    requests.get, u, k=1\n"),
        ("\n    u, k=1,\n", "(\n    requests.get,\n    u, k=1,\n"),
        ("\n    u,\n    k=1\n", "(\n    requests.get,\n    u,\n    k=1\n"),
        ("\n    u, k=1  # so\n", "(\n    requests.get,\n    u, k=1  # so\n"),
        (f"\n    u, k='{'a' * 70}'\n", f"(\n    requests.get,\n    u, k='{'a' * 70}'\n"),
    ],
)
def test_the_function_stands_on_the_line_of_its_arguments(arguments: str, after: str) -> None:
    wide = f"# {'-' * 60}\n"
    found = body(f"requests.get({arguments})", f"{wide}import asyncio\nimport requests\n")
    assert f"await asyncio.to_thread{after})" in found.after("in a thread")


def test_a_new_name_is_none_that_the_function_or_the_module_has() -> None:
    text = """
        import httpx
        import requests


        {0}def g(o):
            return o.work or client

        async def f(o):
            {1}return requests.get(o.client).text
    """
    for before, line, name in (
        ("", "", "client"),
        ("client = 1\n\n        ", "", "client_2"),
        ("", "client = 1\n            ", "client_2"),
    ):
        found = case(text.format(before, line), "requests.get", installed=everything)
        assert f" as {name}:" in found.after("AsyncClient")
