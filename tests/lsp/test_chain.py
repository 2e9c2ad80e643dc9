"""The chain from the loop's entry to what waits: as a tree, as call hierarchy, by its root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_editor import BARE, Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

STORE = "import time\n\n\ndef fetch(key):\n    time.sleep(1)\n    return key\n"
SERVICE = (
    "from store import fetch\n\n\nclass Service:\n    def load(self, key):\n"
    "        return fetch(key)\n"
)
APP = (
    "from service import Service\n\n\nasync def read(key):\n    return Service().load(key)\n\n\n"
    "async def again(key):\n    return Service().load(key)\n"
)
SHOWN = {"commands": ["loopsafe.showChain", "loopsafe.goToRoot", "loopsafe.showCallers"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {"store.py": STORE, "service.py": SERVICE, "app.py": APP}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def at(ed: Editor, uri: str, needle: str) -> dict[str, Any]:
    position = ed.position(uri, ed.texts[uri].index(needle))
    place = {"line": position.line, "character": position.character}
    return {"textDocument": {"uri": uri}, "position": place}


def range_of(target: Any) -> types.Range:
    start, end = target.range.start, target.range.end
    return types.Range(
        types.Position(start.line, start.character), types.Position(end.line, end.character)
    )


async def test_the_chain_goes_from_the_entry_to_the_definition_of_what_waits(
    project: Path,
) -> None:
    async with editor(project, options=SHOWN) as ed:
        uri = ed.open(project / "app.py")
        found = await ed.ask("loopsafe/chain", at(ed, uri, "load(key)"))
        assert found.title.startswith("Service().load() blocks the event loop through time.sleep()")
        assert [step.message for step in found.steps] == [
            "read calls Service().load()",
            "Service.load calls fetch()",
            "fetch calls time.sleep()",
            "time.sleep() waits",
        ]
        names = [step.name for step in found.steps]
        assert names == ["read", "Service.load", "fetch", "time.sleep()"]
        places = [step.place for step in found.steps]
        assert places[:3] == ["app.py:5", "service.py:6", "store.py:5"]
        assert places[3].startswith("stdlib/") or places[3].startswith("jedi/"), places
        assert found.steps[found.root].message == "fetch calls time.sleep()"
        hop = ed.open(project / "store.py")
        assert found.steps[2].location.uri == hop
        assert ed.text_at(hop, range_of(found.steps[2].location)) == "time.sleep"


async def test_where_nothing_blocks_there_is_no_chain(project: Path) -> None:
    async with editor(project, options=SHOWN) as ed:
        uri = ed.open(project / "app.py")
        assert await ed.ask("loopsafe/chain", at(ed, uri, "import")) is None


async def test_the_menu_offers_the_chain_after_the_cures(project: Path) -> None:
    async with editor(project, options=SHOWN) as ed:
        uri = ed.open(project / "app.py")
        actions = await ed.actions(uri, "Service().load", only=["quickfix"])
        titles = [action.title for action in actions]
        place = titles.index("Loopsafe: Show blocking chain")
        assert 0 < place < len(titles) - 1
        assert "Ignore" in titles[place + 1]
        command = actions[place].command
        assert command.command == "loopsafe.showChain"
        assert command.arguments[0] == uri
        assert actions[place].edit is None
        direct = ed.open(project / "direct.py", "import time\nasync def f():\n    time.sleep(1)\n")
        actions = await ed.actions(direct, "time.sleep(1)")
        assert "Loopsafe: Show blocking chain" not in [action.title for action in actions]


async def test_the_hover_links_to_the_chain_only_where_the_editor_can_show_it(
    project: Path,
) -> None:
    async with editor(project, options=SHOWN) as ed:
        uri = ed.open(project / "app.py")
        hover = await ed.hover(uri, "load(key)")
        assert hover
        assert "[Show blocking chain](command:loopsafe.showChain?%5B%22file" in hover.contents.value
        assert "[Go to root](command:loopsafe.goToRoot?" in hover.contents.value
        assert "→" not in hover.contents.value  # It stands above, with the message.
    async with editor(project) as ed:
        uri = ed.open(project / "app.py")
        hover = await ed.hover(uri, "load(key)")
        assert hover
        assert "command:" not in hover.contents.value
        assert hover.contents.value.count("→") == 2
        titles = [action.title for action in await ed.actions(uri, "Service().load")]
        assert "Loopsafe: Show blocking chain" not in titles


async def prepared(ed: Editor, uri: str, needle: str) -> list[types.CallHierarchyItem]:
    offset = ed.texts[uri].index(needle)
    params = types.CallHierarchyPrepareParams(
        types.TextDocumentIdentifier(uri), ed.position(uri, offset)
    )
    return list(await ed.within(ed.client.text_document_prepare_call_hierarchy_async(params)) or [])


async def callees(ed: Editor, item: types.CallHierarchyItem) -> Any:
    params = types.CallHierarchyOutgoingCallsParams(item)
    return await ed.within(ed.client.call_hierarchy_outgoing_calls_async(params))


async def callers(ed: Editor, item: types.CallHierarchyItem) -> Any:
    params = types.CallHierarchyIncomingCallsParams(item)
    return await ed.within(ed.client.call_hierarchy_incoming_calls_async(params))


async def test_call_hierarchy_goes_down_to_what_waits(project: Path) -> None:
    async with editor(project) as ed:
        assert ed.answer.capabilities.call_hierarchy_provider
        uri = ed.open(project / "app.py")
        [item] = await prepared(ed, uri, "read(key)")
        assert (item.name, item.detail, item.uri) == ("read", "app", uri)
        assert ed.text_at(uri, item.selection_range) == "read"
        names = []
        while found := await callees(ed, item):
            [call] = found
            item = call.to
            names.append(item.name)
            assert call.from_ranges
        assert names == ["Service.load", "fetch", "time.sleep()"]
        assert item.uri.endswith("time.pyi")


async def test_call_hierarchy_goes_up_to_the_entries(project: Path) -> None:
    async with editor(project) as ed:
        app, store = ed.open(project / "app.py"), ed.open(project / "store.py")
        await ed.pull(app)
        [item] = await prepared(ed, store, "fetch(key)")
        [call] = await callers(ed, item)
        assert call.from_.name == "Service.load"
        above = await callers(ed, call.from_)
        assert [one.from_.name for one in above] == ["read", "again"]
        assert ed.text_at(app, above[0].from_ranges[0]) == "Service().load"
        assert await callers(ed, above[0].from_) in ([], ())


async def test_call_hierarchy_starts_at_a_call_too(project: Path) -> None:
    async with editor(project) as ed:
        store = ed.open(project / "store.py")
        [item] = await prepared(ed, store, "sleep(1)")
        assert item.name == "time.sleep()"
        assert await prepared(ed, store, "return") == []


async def test_an_item_of_an_older_text_has_no_calls(project: Path) -> None:
    async with editor(project) as ed:
        uri = ed.open(project / "app.py")
        [item] = await prepared(ed, uri, "read(key)")
        ed.change(uri, f"\n\n{APP}")
        assert await callees(ed, item) is None
        item.data = {"function": "nonsense", "ahead": [["x"]], "origin": uri}
        assert await callees(ed, item) is None


async def test_call_hierarchy_is_left_to_others_where_the_client_says_so(project: Path) -> None:
    async with editor(project, options={"callHierarchy": False}) as ed:
        assert ed.answer.capabilities.call_hierarchy_provider is None
    async with editor(project, capabilities=BARE) as ed:
        assert ed.answer.capabilities.call_hierarchy_provider is None
