"""What the connected editor can do, read once from its `initialize` request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability


@dataclass(frozen=True, slots=True)
class Client:
    """The client's capabilities, the optional ones off until declared."""

    name: str = "unknown"
    encoding: str = "utf-16"
    pull: bool = False
    refresh: bool = False
    configuration: bool = False
    watches_files: bool = False
    watches_configuration: bool = False
    related_information: bool = False
    code_description: bool = False
    data: bool = False
    tags: bool = False
    """Whether it greys out what is unnecessary."""
    markdown: bool = False
    action_literals: bool = False
    preferred_actions: bool = False
    resolves_edits: bool = False
    document_changes: bool = False
    creates_files: bool = False
    change_annotations: bool = False
    """Edits may ask to be confirmed."""
    disabled_actions: bool = False
    """Actions that cannot be taken may be shown, with the reason."""
    applies_edits: bool = False
    call_hierarchy: bool = False
    lenses: bool = False
    refreshes_lenses: bool = False
    commands: frozenset[str] = frozenset()
    """Commands of ours that the client carries out itself."""
    trusted: bool = True
    """Whether paths that the workspace names may be used."""
    storage: str | None = None
    """A folder of the user's where the server may keep things."""
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the client without `workspace/configuration` gave at the start."""

    @staticmethod
    def of(params: types.InitializeParams, encoding: str) -> Client:
        """The client that sent this `initialize` request."""
        options = params.initialization_options
        options = options if isinstance(options, dict) else {}
        settings = options.get("settings")
        storage = options.get("globalStorage")
        commands = options.get("commands")
        has = _Declared(params.capabilities)
        info = params.client_info
        return Client(
            name=f"{info.name} {info.version or ''}".strip() if info else "unknown",
            encoding=encoding,
            pull=has.present("text_document.diagnostic"),
            refresh=has.true("workspace.diagnostics.refresh_support"),
            configuration=has.true("workspace.configuration"),
            watches_files=has.true("workspace.did_change_watched_files.dynamic_registration"),
            watches_configuration=has.true(
                "workspace.did_change_configuration.dynamic_registration"
            ),
            related_information=has.for_diagnostics("related_information"),
            code_description=has.for_diagnostics("code_description_support"),
            data=has.for_diagnostics("data_support"),
            tags=types.DiagnosticTag.Unnecessary in has.tags(),
            markdown=types.MarkupKind.Markdown
            in (has.value("text_document.hover.content_format") or ()),
            action_literals=has.present("text_document.code_action.code_action_literal_support"),
            preferred_actions=has.true("text_document.code_action.is_preferred_support"),
            resolves_edits=has.true("text_document.code_action.data_support")
            and "edit" in (has.value("text_document.code_action.resolve_support.properties") or ()),
            document_changes=has.true("workspace.workspace_edit.document_changes"),
            creates_files=has.true("workspace.workspace_edit.document_changes")
            and types.ResourceOperationKind.Create
            in (has.value("workspace.workspace_edit.resource_operations") or ()),
            change_annotations=has.present("workspace.workspace_edit.change_annotation_support"),
            disabled_actions=has.true("text_document.code_action.disabled_support"),
            applies_edits=has.true("workspace.apply_edit"),
            call_hierarchy=has.present("text_document.call_hierarchy")
            and options.get("callHierarchy") is not False,
            lenses=has.present("text_document.code_lens"),
            refreshes_lenses=has.true("workspace.code_lens.refresh_support"),
            commands=frozenset(filter(_is_text, commands))
            if isinstance(commands, list)
            else frozenset(),
            trusted=options.get("trusted") is not False,
            storage=storage if isinstance(storage, str) else None,
            settings=settings if isinstance(settings, dict) else {},
        )


@dataclass(frozen=True, slots=True)
class _Declared:
    capabilities: types.ClientCapabilities

    def value(self, name: str) -> Any:
        return get_capability(self.capabilities, name)

    def true(self, name: str) -> bool:
        return bool(self.value(name))

    def present(self, name: str) -> bool:
        return self.value(name) is not None

    def tags(self) -> Sequence[types.DiagnosticTag]:
        """The marks that the client shows diagnostics with."""
        for name in ("diagnostic", "publish_diagnostics"):
            found = self.value(f"text_document.{name}.tag_support.value_set")
            if found:
                return list(found)
        return ()

    def for_diagnostics(self, name: str) -> bool:
        """Older clients that pull declare what a diagnostic may hold for published ones only."""
        return self.true(f"text_document.diagnostic.{name}") or self.true(
            f"text_document.publish_diagnostics.{name}"
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
