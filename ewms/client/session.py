"""A user's session with a service."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ewms.client import mapping
from ewms.client.connection import Connection
from ewms.client.package import Package, pack
from ewms.client.progress import progress_of
from ewms.client.remote_workflow import RemoteWorkflow, check_ended
from ewms.client.status import WorkflowStatus, status_of
from ewms.client.uploads import OnUpload, upload
from ewms.core.application import Application
from ewms.core.errors import InputError, SpecError

if TYPE_CHECKING:
    from ewms.local.api import Runnable, RunResult
    from ewms.local.loading import Loaded
    from ewms.local.progress import Progress


_WISHES = ("workers", "clusters", "priority", "worker", "labels")


class Session:
    """What `ewms.connect` gives; a context manager. Methods raise what `Connection.send` raises.

    Parameters
    ----------
    connection
        Closed with the session.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Of the service."""
        return self._connection.url

    def close(self) -> None:
        """Drop the connection; what was submitted goes on. Idempotent."""
        self._connection.close()

    def workflow(self, workflow_id: str) -> RemoteWorkflow:
        """A workflow that is there already."""
        return RemoteWorkflow(self._connection, workflow_id)

    def workflows(self, **query: Any) -> Iterator[WorkflowStatus]:
        """Workflows that the user may see, the newest first; `state=` and `owner=` choose among them."""
        after = None
        while True:
            page = self._connection.get("/api/workflows", after=after, **query)
            yield from (status_of(item) for item in page["items"])
            after = page.get("after")
            if after is None:
                return

    def clusters(self) -> list[dict[str, Any]]:
        """Where the service has workers; `problem` tells what keeps a cluster's work waiting."""
        found: list[dict[str, Any]] = self._connection.get("/api/clusters")["items"]
        return found

    def submit(
        self,
        workflow: Runnable,
        *,
        inputs: Sequence[str | Path] = (),
        include: Sequence[str] = (),
        on_upload: OnUpload = lambda sent, missing: None,
        **wishes: Any,
    ) -> RemoteWorkflow:
        """Hand a workflow over and return; it runs without this program.

        Parameters
        ----------
        workflow
            As for `ewms.run`, but no application that was made already: name its class, or write a spec.
        inputs
            Files and folders for the application; uploaded, each content once.
        include
            Further files or patterns beside the workflow that its code needs and does not import.
        wishes
            `workers` (at most), `clusters`, `priority` (from 100 urgent), `worker` (what each asks for: a mapping with keys
            such as `max_runtime` and `requirements`), `labels`, `webhooks`.

        Raises
        ------
        UsageError
            For a mistake in what was given, in one line.
        """
        return self.submit_loaded(loaded_from(workflow), inputs=inputs, include=include, on_upload=on_upload, **wishes)

    def submit_loaded(
        self,
        loaded: Loaded,
        *,
        inputs: Sequence[str | Path] = (),
        include: Sequence[str] = (),
        on_upload: OnUpload = lambda sent, missing: None,
        **wishes: Any,
    ) -> RemoteWorkflow:
        """`submit` for a workflow that was checked already."""
        from ewms.local.loading import existing_inputs

        paths = existing_inputs(inputs)
        if not loaded.has_application and not wishes.get("open"):
            loaded.application(paths)  # says what is missing, as `ewms run` does
        # One that is written in a file has a folder of its own; from Python, what is imported has to do.
        is_file = Path(loaded.where).is_file()
        package = pack(loaded.spec, _folders(loaded), paths, include, whole_folder=is_file)
        return self._send(package, wishes, on_upload)

    def run(
        self,
        workflow: Runnable,
        *,
        inputs: Sequence[str | Path] = (),
        events: Iterable[Any] | None = None,
        out: str | Path | None = None,
        include: Sequence[str] = (),
        progress: Callable[[Progress], None] | None = None,
        **wishes: Any,
    ) -> RunResult:
        """Submit a workflow, wait for its product and fetch it: `ewms.run` on the service's workers.

        Parameters
        ----------
        out
            The folder for product, dead letters and summary; a new one beside the current folder's files if left out.
        progress
            Called in the calling thread while something changes. What it raises ends the waiting; the workflow goes on.

        All others as in `submit` and `ewms.run`.

        Raises
        ------
        UsageError
            For a mistake in what was given.
        WorkflowFailed, WorkflowCancelled
            When there is no product.
        """
        from ewms.local.api import RunResult

        loaded = loaded_from(workflow)
        if events is not None:
            if loaded.has_application or inputs:
                raise InputError("events are for a workflow without an application, and instead of inputs")
            submitted = self.submit_loaded(loaded, include=include, open=True, **wishes)
            mapping.feed(submitted, events)
        else:
            submitted = self.submit_loaded(loaded, inputs=inputs, include=include, **wishes)
        status = submitted.status()
        for status in submitted.follow():
            if progress is not None:
                progress(progress_of(status))
        check_ended(status, self.url)
        folder = Path(out) if out is not None else Path(f"{loaded.spec.name}-{submitted.id}")
        submitted.download(folder)
        return RunResult(folder, submitted.summary())

    def map(
        self, function: Callable[..., Any] | str, inputs: Iterable[Any], *, ordered: bool = True, **settings: Any
    ) -> Iterator[Any]:
        """Apply a function to every input on the service's workers; see `ewms.map`.

        `workers`, `clusters`, `priority`, `worker` and `labels` are the workflow's, `include` is as in `submit`, others are
        keys of the task.
        """
        from ewms.local.workflow import Workflow

        wishes = {name: settings.pop(name) for name in _WISHES if name in settings}
        include = settings.pop("include", ())
        flow = Workflow("map").task(function, input="inputs", output="results", name="map", **settings)
        loaded = loaded_from(flow)
        bodies = iter(inputs)
        submit = partial(self.submit_loaded, loaded, include=include, open=True, **wishes)
        return mapping.results(submit, bodies, ordered=ordered)

    def _send(self, package: Package, wishes: Mapping[str, Any], on_upload: OnUpload) -> RemoteWorkflow:
        files = upload(self._connection, package.files, on_upload)
        body = {"spec": package.spec, "files": files, **{key: value for key, value in wishes.items() if value is not None}}
        answer = self._connection.post("/api/workflows", body, headers={"Idempotency-Key": secrets.token_hex(16)})
        return RemoteWorkflow(self._connection, status_of(answer).workflow_id)


def loaded_from(workflow: Runnable) -> Loaded:
    """A checked workflow from anything that `submit` takes; what only pilots need may be missing here.

    Raises `SpecError` or `ConsumerError`, in one line.
    """
    from ewms.local.loading import load, load_object

    if isinstance(workflow, Application):
        raise SpecError(
            f"an application that was made here cannot be sent; submit {type(workflow).__name__} itself, or a spec "
            "with its parameters"
        )
    if isinstance(workflow, str | Path):
        return checked(load(str(workflow), pilots_here=False))
    loaded = load_object(workflow, [str(Path.cwd())], pilots_here=False)
    if loaded is None:
        raise SpecError(f"{workflow!r} is neither a workflow, a spec nor an application")
    if isinstance(workflow, type):
        loaded.spec = loaded.spec.model_copy(update={"application": _reference(workflow)})
    return checked(loaded)


def _reference(application: type) -> str:
    from ewms.local.consumers import reference_to

    reference = reference_to(application)
    if reference.rpartition(":")[0].endswith(".py"):
        raise SpecError(f"{application.__name__} is defined in the program that was started; put it into a module beside it")
    return reference


def checked(loaded: Loaded) -> Loaded:
    """The workflow, whose consumers' modules are here; `ConsumerError` if one is not."""
    from ewms.local.consumers import check_importable

    for task in loaded.spec.tasks:
        if task.python is not None:
            check_importable(task.python, loaded.search_path, f"{loaded.where}: task '{task.name}'")
    return loaded


def _folders(loaded: Loaded) -> list[Path]:
    """Where a workflow's own modules are: its folder, and that of the script that was started."""
    folders = [Path(folder) for folder in loaded.search_path]
    script = Path(sys.path[0] or ".").resolve()
    return folders if script in folders or script.is_relative_to(sys.prefix) else [*folders, script]
