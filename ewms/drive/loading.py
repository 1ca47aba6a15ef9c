"""From a workflow's document to something that can be driven."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Iterable
from typing import NamedTuple

from ewms.core.service.workflow import WorkflowDocument
from ewms.drive.application import Process, load_remote
from ewms.drive.workspace import Workspace
from ewms.local.loading import AnyApplication, Loaded
from ewms.local.workflow import Events

_GROUP = "ewms.applications"
_log = logging.getLogger("ewms.drive")


class Ready(NamedTuple):
    """A workflow with its application."""

    loaded: Loaded
    """Checked."""
    application: AnyApplication
    """A new instance."""


def is_foreign(document: WorkflowDocument, workspace: Workspace) -> bool:
    """Whether the application's code may do what it likes, so that it gets a process of its own.

    Only what an administrator installed as an application is trusted with the host's process.
    """
    reference = document.spec.application
    if reference is None:
        return False
    installed = {entry.value for entry in importlib.metadata.entry_points(group=_GROUP)}
    return workspace.has_code or reference not in installed


def preload(names: Iterable[str]) -> None:
    """Load installed applications ahead of their workflows; what is wrong with one is told, and is nobody else's trouble."""
    for name in names:
        try:
            (entry,) = importlib.metadata.entry_points(group=_GROUP, name=name)
            entry.load().prepare()
        except Exception as error:  # noqa: BLE001  anybody's code; its workflows will fail with the reason
            _log.warning("preload_failed", extra={"application": name, "reason": f"{type(error).__name__}: {error}"})
        else:
            _log.info("preloaded", extra={"application": name})


def load(document: WorkflowDocument, workspace: Workspace, process: Process | None) -> Ready:
    """Load a workflow, its application in the process if there is one; blocks while the application is made.

    Raises `UsageError` for what is wrong with its spec or inputs, `ApplicationError` for what is wrong with its code.
    """
    search_path = [str(workspace.code)]
    if process is not None:
        loaded = load_remote(process, document.spec, search_path, workspace.inputs)
    else:
        loaded = Loaded(document.spec, search_path, f"workflow {document.spec.name}", pilots_here=False)
    from_outside = set(loaded.graph.sources) & set(document.public)
    if from_outside and not workspace.inputs and not loaded.has_application:
        return Ready(loaded, Events(()))
    return Ready(loaded, loaded.application(workspace.inputs))
