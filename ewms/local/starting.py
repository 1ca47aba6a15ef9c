"""Starting a new workflow in a run directory, or going on with the one that is there."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ewms.core.errors import InputError, SpecError
from ewms.core.ids import workflow_id
from ewms.core.spec import parse_spec
from ewms.local.directory import RunDirectory
from ewms.local.loading import AnyApplication, Loaded, load
from ewms.local.progress import Progress
from ewms.local.run import LocalRun, MakeLauncher, Options, local_launcher
from ewms.stores.sqlite import SqliteJournal

OnProgress = Callable[[Progress], None]


def _ignore(progress: Progress) -> None:
    """Show nothing."""


def new_workflow_id() -> str:
    """A fresh id."""
    return workflow_id(time.time(), secrets.token_bytes(4))


def default_workers() -> int:
    """As many workers as this process may use cores."""
    return len(os.sched_getaffinity(0))


def checked_workers(workers: int | None) -> int:
    """The number of workers, or as many as there are cores for None; `InputError` below 1."""
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}: at least one is needed")
    return workers or default_workers()


def start(
    loaded: Loaded,
    application: AnyApplication,
    directory: RunDirectory,
    options: Options,
    *,
    inputs: Sequence[Path] = (),
    source: Mapping[str, Any] | None = None,
    on_progress: OnProgress = _ignore,
    independent_start: bool = False,
    make_launcher: MakeLauncher = local_launcher,
) -> LocalRun:
    """A run of a new workflow; must be called inside the event loop that runs it.

    `source` is what `load` was given, so that a corrected spec can be read again. Raises `InputError` if the directory
    holds a workflow already.
    """
    directory.create().lock()
    if directory.holds_workflow:
        directory.unlock()
        raise InputError(
            f"{directory.path} holds a workflow already; `ewms resume {directory.path}` goes on with it, "
            "another --out starts a new one"
        )
    record = {
        "workflow_id": new_workflow_id(),
        "name": loaded.spec.name,
        "spec": loaded.spec.model_dump(mode="json", exclude_unset=True),
        "search_path": list(loaded.search_path),
        "inputs": [str(path) for path in inputs],
        "source": dict(source) if source else None,
        "options": {
            "workers": options.workers,
            "lease": options.lease,
            "grace": options.grace,
            "backend": options.backend,
        },
    }
    return LocalRun(
        loaded,
        application,
        directory,
        options,
        record=record,
        on_progress=on_progress,
        independent_start=independent_start,
        make_launcher=make_launcher,
    )


def recorded(directory: RunDirectory) -> tuple[Loaded, dict[str, Any]]:
    """The workflow of a run directory as it would be resumed, and its record.

    A spec file that was corrected since is read again, as long as its tasks and queues are the same.
    Raises `StoreError` if there is none, `SpecError` if its tasks have changed.
    """
    with SqliteJournal(directory.require_workflow().journal, writer=False) as journal:
        names = ("workflow_id", "name", "spec", "search_path", "inputs", "source", "options", "state", "reason")
        record = {name: journal.value(name) for name in names}
    if record["spec"] is None:
        raise SpecError(f"{directory.path} was interrupted before it began; remove it and run again")
    then = Loaded(parse_spec(record["spec"], str(directory.path)), record["search_path"], str(directory.path))
    source = record["source"]
    if source is None:
        return then, record
    now = load(source["name"], source["settings"], folder=Path(source["folder"]))
    if _shape(now) != _shape(then):
        raise SpecError(
            f"the tasks or queues of {source['name']} have changed since the workflow began; restore them, or run it anew"
        )
    return now, record


def resume(
    directory: RunDirectory,
    *,
    broker: str | None = None,
    workers: int | None = None,
    on_progress: OnProgress = _ignore,
    make_launcher: MakeLauncher = local_launcher,
) -> LocalRun:
    """A run that goes on with a directory's workflow; must be called inside the event loop that runs it.

    Raises `RunLocked`, `StoreError`, or `SpecError` where the workflow cannot be loaded again.
    """
    directory.require_workflow().lock()
    loaded, record = recorded(directory)
    application = loaded.application([Path(path) for path in record["inputs"]])
    options = Options(**(record["options"] | {"broker": broker} | ({"workers": workers} if workers else {})))
    kept = {name: value for name, value in record.items() if name not in {"state", "reason"}}
    return LocalRun(
        loaded, application, directory, options, record=kept, on_progress=on_progress, make_launcher=make_launcher
    )


def resume_with(
    loaded: Loaded,
    application: AnyApplication,
    directory: RunDirectory,
    options: Options,
    *,
    inputs: Sequence[Path] = (),
    on_progress: OnProgress = _ignore,
) -> LocalRun:
    """`resume` for a workflow that lives in the calling program; `SpecError` if it is not the one recorded."""
    directory.lock()
    then, record = recorded(directory)
    differences = {
        "tasks or queues": _shape(loaded) != _shape(then),
        "parameters": loaded.spec.parameters != then.spec.parameters,
        "inputs": [str(path) for path in inputs] != record["inputs"],
    }
    for what, differ in differences.items():
        if differ:
            raise SpecError(f"{directory.path} holds another workflow: its {what} differ; choose another folder")
    kept = {name: value for name, value in record.items() if name not in {"state", "reason"}}
    return LocalRun(loaded, application, directory, options, record=kept, on_progress=on_progress)


def _shape(loaded: Loaded) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(task.name, task.input, task.output) for task in loaded.graph.tasks]
