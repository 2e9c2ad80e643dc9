from typing import Any

import httpx
import strawberry
from fastapi import FastAPI
from strawberry.extensions import SchemaExtension
from strawberry.fastapi import GraphQLRouter
from strawberry.permission import BasePermission

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    schema = make_schema(spies)
    for query in ("{ plain given other }", "mutation { change }"):
        result = await schema.execute(query)
        assert not result.errors, result.errors
    router = GraphQLRouter(
        schema,
        context_getter=getter(spies, "strawberry.fastapi.GraphQLRouter(context_getter)"),
        root_value_getter=getter(spies, "strawberry.fastapi.GraphQLRouter(root_value_getter)"),
    )
    app = FastAPI()
    app.include_router(router, prefix="/graphql")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/graphql", json={"query": "{ plain }"})
        assert answer.status_code == 200


def getter(spies: Spies, name: str) -> Any:
    def get() -> dict[str, object]:
        spies(name)
        return {}

    return get


def make_schema(spies: Spies) -> strawberry.Schema:
    class Allowed(BasePermission):
        def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
            spies("strawberry.permission.BasePermission.has_permission")
            return True

    class Watching(SchemaExtension):
        def on_operation(self) -> Any:
            spies("strawberry.extensions.SchemaExtension.on_operation")
            yield

        def resolve(self, _next: Any, root: Any, info: Any, *args: str, **kwargs: Any) -> Any:
            spies("strawberry.extensions.SchemaExtension.resolve")
            return _next(root, info, *args, **kwargs)

    def resolve_given() -> str:
        spies("strawberry.field(resolver)")
        return ""

    @strawberry.type
    class Query:
        @strawberry.field(permission_classes=[Allowed])
        def plain(self) -> str:
            spies("strawberry.field")
            return ""

        given: str = strawberry.field(resolver=resolve_given)

        @strawberry.field
        async def other(self) -> str:
            return ""

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def change(self) -> str:
            spies("strawberry.mutation")
            return ""

    return strawberry.Schema(Query, Mutation, extensions=[Watching])
