"""`ewms.map`: one function over many inputs, durable while it runs, nothing left behind."""

from __future__ import annotations

import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ewms.core.application import Application
from ewms.core.errors import ApplicationError, EventFailed, WorkflowCancelled
from ewms.core.event import DeadLetter, Event, Outcome
from ewms.local import starting
from ewms.local.background import BackgroundRun
from ewms.local.directory import RunDirectory
from ewms.local.loading import Loaded
from ewms.local.run import LocalRun, Options
from ewms.local.workflow import Workflow
from ewms.wms.driver import Stop

_Numbered = Iterator[tuple[int, Outcome | DeadLetter]]
_AHEAD = 32768
_PATIENCE = 0.1


class _Mapping(Application[Event, Outcome, None]):
    """Feeds inputs and hands results to the waiting caller, never more than `_AHEAD` of them."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        super().__init__()
        self._bodies = inputs
        self.results: queue.SimpleQueue[tuple[int, Outcome | DeadLetter]] = queue.SimpleQueue()
        self.room = threading.Semaphore(_AHEAD)
        self.closed = threading.Event()

    def start(self) -> Iterator[Event]:
        """The inputs, as the caller takes results."""
        for number, body in enumerate(self._bodies):
            while not self.room.acquire(timeout=_PATIENCE):
                if self.closed.is_set():
                    return
            yield Event(id=str(number), body=body)

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """Hand a result over."""
        self.results.put((int(outcome.id), outcome))
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """Hand a failure over."""
        self.results.put((int(letter.id), letter))
        return ()


_Arrange = Callable[[_Numbered, _Mapping], Iterator[Any]]


def map(
    function: Callable[..., Any] | str,
    inputs: Iterable[Any],
    *,
    workers: int | None = None,
    ordered: bool = True,
    broker: str | None = None,
    **settings: Any,
) -> Iterator[Any]:
    """Apply a function to every input, in worker processes; lazy in its inputs and its results.

    Parameters
    ----------
    function
        Something that a pilot can import: defined with `def` or `class` at the top level of a module or script.
    inputs
        Any iterable, endless ones included; JSON-like values, bytes, numpy arrays or pydantic models.
    workers
        Events worked on at once; as many as there are cores if left out.
    ordered
        Results in the order of the inputs; otherwise as they are completed.
    broker
        URL of a broker; a private one is started if left out.
    settings
        Keys of a task in the spec, such as `timeout=60`, `retry={"max_failures": 1}`, `codec="msgpack"`.

    Yields
    ------
    What the function returned, None for nothing, a list where it yielded.

    Raises
    ------
    ConsumerError
        If a pilot cannot import the function.
    UsageError
        If the settings are wrong or there are less than one worker.
    EventFailed
        In the place of the result of an input that was given up on.
    WorkflowFailed
        If pilots or the broker cannot be kept alive.
    """
    bodies = iter(inputs)
    flow = Workflow("map").task(function, input="inputs", output="results", name="map", **settings)
    loaded = Loaded(flow.spec(), [str(Path.cwd())], "ewms.map")
    options = Options(workers=starting.checked_workers(workers), broker=broker)
    return _results(loaded, _Mapping(bodies), options, _in_order if ordered else _as_completed)


def _results(loaded: Loaded, application: _Mapping, options: Options, arrange: _Arrange) -> Iterator[Any]:
    folder = Path(tempfile.mkdtemp(prefix="ewms-map-"))
    directory = RunDirectory(folder)

    def make(on_progress: starting.OnProgress) -> LocalRun:
        return starting.start(loaded, application, directory, options, on_progress=on_progress, independent_start=True)

    try:
        background = BackgroundRun(make)
        try:
            yield from arrange(_taken(application, background), application)
            background.wait()
        except ApplicationError as error:
            raise (error.__cause__ or error) from None  # the caller's own iterable raised
        finally:
            application.closed.set()
            background.stop(Stop.CANCELLED)
            background.join()
    finally:
        directory.unlock()
        shutil.rmtree(folder, ignore_errors=True)


def _taken(application: _Mapping, background: BackgroundRun) -> _Numbered:
    """Results as they come, until the run has ended and none is left."""
    while True:
        running = background.running
        try:
            yield application.results.get(timeout=_PATIENCE if running else 0)
        except queue.Empty:
            if not running:
                if background.wait()["state"] == "cancelled":
                    raise WorkflowCancelled from None
                return


def _as_completed(taken: _Numbered, application: _Mapping) -> Iterator[Any]:
    for _, result in taken:
        application.room.release()
        yield _value(result)


def _in_order(taken: _Numbered, application: _Mapping) -> Iterator[Any]:
    waiting: dict[int, Outcome | DeadLetter] = {}
    following = 0
    for number, result in taken:
        waiting[number] = result
        while following in waiting:
            ready = waiting.pop(following)
            following += 1
            application.room.release()
            yield _value(ready)


def _value(result: Outcome | DeadLetter) -> Any:
    if isinstance(result, DeadLetter):
        raise EventFailed(f"input {result.id}: {result.reason}")
    return list(result.values) if result.many else result.value
