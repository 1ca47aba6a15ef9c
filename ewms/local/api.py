"""`ewms.run`: a workflow from Python, from events to product."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ewms.core.application import Application
from ewms.core.errors import InputError, SpecError, WorkflowCancelled, WorkflowFailed
from ewms.core.spec import WorkflowSpec
from ewms.local import starting
from ewms.local.background import BackgroundRun
from ewms.local.directory import RunDirectory
from ewms.local.loading import AnyApplication, Loaded, existing_inputs, load, load_object
from ewms.local.progress import Progress
from ewms.local.run import LocalRun, Options
from ewms.local.workflow import Events, Workflow

Runnable = str | Path | Workflow | WorkflowSpec | AnyApplication | type[AnyApplication]


class RunResult:
    """A finished workflow's folder.

    Parameters
    ----------
    out
        The run directory.
    summary
        What `summary.json` holds.
    """

    def __init__(self, out: Path, summary: dict[str, Any]) -> None:
        self.out = out
        self.summary = summary

    @property
    def product(self) -> Path:
        """The folder of product files."""
        return self.out / "product"

    def outcomes(self) -> Iterator[dict[str, Any]]:
        """The lines of `product/outcomes.jsonl`, in event order, where the application assembled nothing of its own."""
        return _json_lines(self.product / "outcomes.jsonl")

    def dead_letters(self) -> Iterator[dict[str, Any]]:
        """The lines of `dead_letters.jsonl`."""
        return _json_lines(self.out / "dead_letters.jsonl")


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


def run(
    workflow: Runnable,
    *,
    inputs: Sequence[str | Path] = (),
    events: Iterable[Any] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    broker: str | None = None,
    lease: float = 60.0,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> RunResult:
    """Run a workflow on this machine and wait for its product.

    Parameters
    ----------
    workflow
        A `Workflow`, a `WorkflowSpec`, an `Application` (class or instance), or what `ewms run` takes as SPEC.
    inputs
        Files and folders for the application.
    events
        Events or bodies to send instead, for a workflow without an application.
    out
        The run directory; a new one beside the current folder's files if left out.
    workers
        Events worked on at once; as many as there are cores if left out.
    broker
        URL of a broker; a private one is started if left out.
    lease
        Seconds after which the loss of a pilot is noticed.
    resume
        Go on with the workflow in `out` if there is one.
    progress
        Called in the calling thread, a few times a second while something changes. What it raises interrupts the run.

    Raises
    ------
    UsageError
        For a mistake in what was given, before anything is started.
    WorkflowFailed, ApplicationError, BrokerError, StoreError
        When the workflow cannot go on; it can be resumed.
    """
    loaded, make_application = loaded_from(workflow, inputs, events)
    application = make_application()
    paths = existing_inputs(inputs)
    directory = RunDirectory(Path(out) if out is not None else Path(f"{loaded.spec.name}-{starting.new_workflow_id()}"))
    options = Options(workers=starting.checked_workers(workers), broker=broker, lease=lease)

    def make(on_progress: starting.OnProgress) -> LocalRun:
        begin = starting.resume_with if resume and directory.holds_workflow else starting.start
        return begin(loaded, application, directory, options, inputs=paths, on_progress=on_progress)

    try:
        summary = BackgroundRun(make).wait(progress)
    finally:
        directory.unlock()
    if summary["state"] == "cancelled":
        raise WorkflowCancelled
    if summary["state"] != "complete":
        raise WorkflowFailed(f"the workflow was interrupted; `ewms resume {directory.path}` goes on")
    return RunResult(directory.path, summary)


def loaded_from(
    workflow: Runnable, inputs: Sequence[str | Path], events: Iterable[Any] | None = None
) -> tuple[Loaded, Callable[[], AnyApplication]]:
    """A checked workflow and what makes its application, from anything that `run` takes.

    Raises `SpecError`, `ConsumerError` or `InputError`, in one line.
    """
    paths = existing_inputs(inputs)
    loaded = load(str(workflow)) if isinstance(workflow, str | Path) else load_object(workflow, [str(Path.cwd())])
    if loaded is None:
        raise SpecError(f"{workflow!r} is neither a workflow, a spec nor an application")
    if isinstance(workflow, Application):
        return loaded, lambda: workflow
    if events is None:
        return loaded, lambda: loaded.application(paths)
    if loaded.has_application or paths:
        raise InputError("events are for a workflow without an application, and instead of inputs")
    return loaded, lambda: Events(events)
