import types
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.dispatch import Signal, receiver
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path, re_path
from django.utils.deprecation import MiddlewareMixin
from django.views import View

from knowledge.spy import Spies
from loopsafe.model import Place


async def use(spies: Spies) -> None:
    urls = types.ModuleType("urls")
    urls.Layer = layer(spies)  # type: ignore[attr-defined]
    urls.urlpatterns = patterns(spies)  # type: ignore[attr-defined]
    configure(urls)
    client = AsyncClient()
    for name in ("plain", "pattern", "view"):
        assert (await client.get(f"/{name}")).status_code == 200
    await send()
    try:
        connection.cursor()
    except SynchronousOnlyOperation:
        return
    raise AssertionError("the database was asked on the loop")


def configure(urls: Any) -> None:
    import sys

    sys.modules["places_urls"] = urls
    if settings.configured:  # By another test of the same process.
        settings.ROOT_URLCONF = urls
        settings.MIDDLEWARE = ["places_urls.Layer"]
        return
    settings.configure(
        ROOT_URLCONF=urls,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["places_urls.Layer"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    )
    django.setup()


def patterns(spies: Spies) -> list[Any]:
    def answering(name: str) -> Any:
        def answer(request: HttpRequest) -> HttpResponse:
            spies(name)
            return HttpResponse()

        return answer

    class Plain(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            spies("django.views.View.get")
            return HttpResponse()

    return [
        path("plain", answering("django.urls.path")),
        re_path("pattern", answering("django.urls.re_path")),
        path("view", Plain.as_view()),
    ]


def layer(spies: Spies) -> type[MiddlewareMixin]:
    class Layer(MiddlewareMixin):
        def process_request(self, request: HttpRequest) -> None:
            spies("django.utils.deprecation.MiddlewareMixin.process_request")

    return Layer


async def send() -> None:
    """Receivers have no place: a thread for `asend`, for `send` where that is called."""
    happened = Signal()
    seen = Spies()
    kept = receiver(happened)(seen.note("receiver"))
    await happened.asend(None)
    assert seen.seen == {"receiver": Place.THREAD}
    happened.send(None)
    assert seen.mixed == {"receiver"}
    assert kept
