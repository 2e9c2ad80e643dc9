"""What the client asks: one short handler per request.

Handlers that analyse are coroutines: only those can be cancelled while they run.
"""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types

from loopsafe import explain
from loopsafe.lsp import actions, chain, hierarchy, hover, lenses
from loopsafe.lsp.information import debug_information
from loopsafe.lsp.wire import Server
from loopsafe.lsp.worker import Rank

APPLY_COMMAND = "loopsafe.applyFix"
"""The command by which clients that know no code actions apply one."""


async def pull(ls: Server, params: types.DocumentDiagnosticParams) -> Any:
    return await ls.diagnostics.pull(params)


async def pull_workspace(
    ls: Server, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    return await ls.survey.pull(params)


async def show_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    return await ls.session.ask(
        params.text_document.uri,
        "Hover",
        lambda work: hover.hover_at(work, params.position),
        Rank.URGENT,
    )


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    found = await ls.session.ask(
        params.text_document.uri,
        "Code actions",
        lambda work: actions.code_actions(work, params),
        Rank.URGENT,
    )
    return found or []


async def resolve_code_action(ls: Server, action: types.CodeAction) -> types.CodeAction:
    uri = actions.uri_to_resolve(action)
    if uri is None:
        return action
    resolved = await ls.session.ask(
        uri, "Fix all", lambda work: actions.resolve(work, action), Rank.URGENT
    )
    return resolved or action


async def code_action_commands(ls: Server, params: types.CodeActionParams) -> list[types.Command]:
    """Code actions for clients that know commands only."""
    found = await code_action(ls, params)
    return [
        types.Command(action.title, APPLY_COMMAND, arguments=[_to_plain(ls, params), action.title])
        for action in found
    ]


async def apply_fix(ls: Server, params: Any, title: str) -> None:
    """Apply the code action of that title, made anew from the present text."""
    request = ls.protocol._converter.structure(params, types.CodeActionParams)
    for action in await code_action(ls, request):
        if action.title == title and action.edit:
            edit = types.ApplyWorkspaceEditParams(action.edit, title)
            await asyncio.shield(ls.workspace_apply_edit_async(edit))
            return


async def prepare_call_hierarchy(
    ls: Server, params: types.CallHierarchyPrepareParams
) -> list[types.CallHierarchyItem] | None:
    return await ls.session.ask(
        params.text_document.uri,
        "Call hierarchy",
        lambda work: hierarchy.prepare(work, params.position),
        Rank.URGENT,
    )


async def outgoing_calls(
    ls: Server, params: types.CallHierarchyOutgoingCallsParams
) -> list[types.CallHierarchyOutgoingCall] | None:
    uri = hierarchy.origin(params.item)
    if uri is None:
        return None
    return await ls.session.ask(
        uri, "Call hierarchy", lambda work: hierarchy.outgoing(work, params.item), Rank.URGENT
    )


async def incoming_calls(
    ls: Server, params: types.CallHierarchyIncomingCallsParams
) -> list[types.CallHierarchyIncomingCall] | None:
    uri = hierarchy.origin(params.item)
    if uri is None:
        return None
    return await ls.session.ask(
        uri, "Call hierarchy", lambda work: hierarchy.incoming(work, params.item), Rank.NORMAL
    )


async def code_lens(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    """After the pause and the diagnostics: lenses may not make typing wait."""
    uri = params.text_document.uri
    ls.session.lenses_asked = True
    await ls.session.settle(uri)
    return await ls.session.ask(uri, "CodeLens", lenses.code_lenses, Rank.BACKGROUND) or []


async def resolve_code_lens(ls: Server, lens: types.CodeLens) -> types.CodeLens:
    uri = lenses.origin(lens)
    if uri is None:
        return lens
    resolved = await ls.session.ask(
        uri, "CodeLens", lambda work: lenses.resolve(work, lens), Rank.BACKGROUND
    )
    return resolved or lens


async def show_chain(ls: Server, params: Any) -> dict[str, Any] | None:
    """`loopsafe/chain`: the blocking chain at a position."""
    position = types.Position(params.position.line, params.position.character)
    return await ls.session.ask(
        params.textDocument.uri,
        "Blocking chain",
        lambda work: chain.chain_at(work, position),
        Rank.URGENT,
    )


async def explain_rule(ls: Server, params: Any) -> str | None:
    """`loopsafe/explain`: the page of a rule."""
    code = getattr(params, "code", None)
    return explain.rule_page(code) if isinstance(code, str) else None


async def inform(ls: Server, _params: Any) -> str:
    """`loopsafe/debugInformation`: what a bug report needs."""
    session = ls.session
    folders = tuple(scope.uri for scope in session.scopes.folders)
    waiting = session.worker.waiting
    return await session.worker.run(
        lambda _: debug_information(session.workbench, folders, waiting), Rank.URGENT
    )


def _to_plain(ls: Server, params: types.CodeActionParams) -> Any:
    return ls.protocol._converter.unstructure(params)
