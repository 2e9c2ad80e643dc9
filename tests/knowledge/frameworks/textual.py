import asyncio
from typing import Any

from textual import on, work
from textual.app import App, ComposeResult
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Button

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    app = application(spies)
    async with app.run_test() as pilot:
        await pilot.click(Button)
        await pilot.press("x", "y")
        await asyncio.sleep(0.2)


def application(spies: Spies) -> App[None]:
    note = spies.note

    class Small(Widget):
        def render(self) -> str:
            spies("textual.widget.Widget.render")
            return ""

        def on_mount(self) -> None:
            spies("textual.widget.Widget.on_mount")

    class Shop(App[None]):
        BINDINGS = [("y", "order", "Order")]  # noqa: RUF012
        count = reactive(0)
        double = reactive(0)

        def compose(self) -> ComposeResult:
            spies("textual.app.App.compose")
            yield Button()
            yield Small()

        def on_mount(self) -> None:
            spies("textual.app.App.on_mount")
            self.count = 1
            self.load_it()
            self.run_worker(note("textual.app.App.run_worker"), thread=True)
            self.set_timer(0.01, lambda: spies("textual.app.App.set_timer"))
            self.set_interval(0.01, lambda: spies("textual.app.App.set_interval"))
            self.call_later(note("textual.app.App.call_later"))
            self.call_next(note("textual.app.App.call_next"))
            self.call_after_refresh(note("textual.app.App.call_after_refresh"))

        def compute_double(self) -> int:
            spies("textual.app.App.compute_double")
            return 2 * self.count

        def validate_count(self, count: int) -> int:
            spies("textual.app.App.validate_count")
            return count

        def watch_count(self, count: int) -> None:
            spies("textual.app.App.watch_count")

        def key_x(self) -> None:
            spies("textual.app.App.key_x")

        def action_order(self) -> None:
            spies("textual.app.App.action_order")

        @on(Button.Pressed)
        def pressed(self) -> None:
            spies("textual.on")

        @work(thread=True)
        def load_it(self) -> None:
            spies("textual.work")
            self.call_from_thread(note("textual.app.App.call_from_thread"))

    app: Any = Shop()
    return app
