import asyncio
from typing import Any

from quart import Blueprint, Quart
from quart.views import MethodView, View

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    app = application(spies)
    async with app.test_app():
        client = app.test_client()
        for path in ("plain", "ruled", "inner/plain", "view", "method-view", "fail", "fail-twice"):
            response = await client.get(f"/{path}")
            assert response.status_code == 200, path
        await asyncio.sleep(0.1)


def answering(spies: Spies, name: str) -> Any:
    def answer(*_given: object) -> str:
        spies(name)
        return ""

    return answer


def application(spies: Spies) -> Quart:
    app = Quart("places")
    app.get("/plain", endpoint="plain")(answering(spies, "quart.Quart.get"))
    app.add_url_rule("/ruled", "ruled", answering(spies, "quart.Quart.add_url_rule"))
    app.errorhandler(KeyError)(answering(spies, "quart.Quart.errorhandler"))
    app.register_error_handler(ValueError, answering(spies, "quart.Quart.register_error_handler"))
    app.before_request(spies.note("quart.Quart.before_request"))
    app.teardown_request(spies.note("quart.Quart.teardown_request"))
    app.before_serving(spies.note("quart.Quart.before_serving"))
    app.after_serving(spies.note("quart.Quart.after_serving"))

    @app.after_request
    def after(response: Any) -> Any:
        spies("quart.Quart.after_request")
        return response

    @app.get("/fail")
    async def fail() -> str:
        app.add_background_task(spies.note("quart.Quart.add_background_task"))
        raise KeyError

    @app.get("/fail-twice")
    async def fail_twice() -> str:
        raise ValueError

    inner = Blueprint("inner", "inner", url_prefix="/inner")
    inner.get("/plain", endpoint="plain")(answering(spies, "quart.Blueprint.get"))
    inner.before_app_request(spies.note("quart.Blueprint.before_app_request"))
    app.register_blueprint(inner)
    app.add_url_rule("/view", view_func=view(spies).as_view("view"))
    app.add_url_rule("/method-view", view_func=method_view(spies).as_view("method-view"))
    return app


def view(spies: Spies) -> type[View]:
    class Plain(View):
        def dispatch_request(self, **_named: object) -> str:
            spies("quart.views.View.dispatch_request")
            return ""

    return Plain


def method_view(spies: Spies) -> type[MethodView]:
    class Plain(MethodView):
        def get(self) -> str:
            spies("quart.views.MethodView.get")
            return ""

    return Plain
