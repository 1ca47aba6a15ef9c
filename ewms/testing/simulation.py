"""Runs a workflow inside this process, with the real ledger, journal and consumers, and faults where wanted.

Nothing sleeps and no process is started: messages are delivered in an order drawn from a seed, so a failure is repeated
by its seed alone.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from ewms import blobs
from ewms.blobs import BlobStore
from ewms.core import wire
from ewms.core.errors import WorkflowFailed
from ewms.core.event import DeadLetter
from ewms.core.wire import Kind
from ewms.local.loading import AnyApplication, Loaded, importable
from ewms.pilot.data_hub import VARIABLE
from ewms.pilot.outputs import Packer
from ewms.pilot.worker.consumer import Consumer
from ewms.pilot.worker.failures import from_exception
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import Host, decode_outputs
from ewms.wms.ledger import Ledger
from ewms.wms.letters import letters

_MESSAGE_BYTES = 1 << 20
_SOURCE_CHUNK = 64
_MAX_STEPS = 1_000_000


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often, as fractions, something goes wrong. Draws are by seed; every fault is one that real runs have.

    Simulated failures and vanished pilots never use up an event's last try: what is buried is buried by its own doing.
    """

    failure: float = 0.0
    """An attempt fails although the consumer would succeed."""
    vanish: float = 0.0
    """A pilot vanishes with a message."""
    duplicate: float = 0.0
    """A report arrives twice."""
    restart: float = 0.0
    """The driver is killed between two steps and started again."""
    dead: frozenset[str] = frozenset()
    """Ids of events that fail on every attempt."""
    shuffle: bool = True
    """Deliver messages in random order."""


class SimulationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated run came to."""

    product: Any
    """What `assemble` returned."""
    outputs: dict[str, list[Any]]
    """For each task, the values of its accepted events in event order."""
    dead_letters: list[DeadLetter]
    """In event order."""
    events: dict[str, int]
    """As in `summary.json`."""


class Simulation:
    """One workflow in a folder of its own.

    Parameters
    ----------
    loaded
        The checked workflow; its tasks must have Python consumers.
    application
        Makes a new instance for every driver.
    folder
        Where the journal goes.
    faults
        What goes wrong.
    seed
        Of everything random.
    """

    def __init__(
        self, loaded: Loaded, application: Callable[[], AnyApplication], folder: Path, faults: Faults, seed: int
    ) -> None:
        self._loaded = loaded
        self._application = application
        self._folder = folder
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311  repeatable, not secret
        self._queue: list[tuple[bytes, bool]] = []
        self._spoilt: Counter[tuple[str, str]] = Counter()
        self._store = BlobStore(str(folder / "blobs"), _MESSAGE_BYTES // 2)
        self._consumers: dict[str, Consumer] = {}
        self._packers = {
            task.name: Packer(task.codec, task.output, _MESSAGE_BYTES, self._store.url, self._store.threshold)
            for task in loaded.graph.tasks
        }

    def run(self) -> SimulationResult:
        """Run to completion; raises what a real run would raise, and `WorkflowFailed` if it never ends."""
        hub = self._folder / "data-hub"
        hub.mkdir()
        for name, content in Host(self._application(), self._loaded.graph, self._store).context().items():
            (hub / name).write_bytes(content)
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(hub)
        path = self._loaded.search_path
        try:
            with importable(path):
                self._consumers = {task.name: Consumer(task.python or "", path) for task in self._loaded.graph.tasks}
            return self._run()
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before

    def _run(self) -> SimulationResult:
        while True:
            with SqliteJournal(self._folder / "journal.sqlite") as journal:
                host = Host(self._application(), self._loaded.graph, self._store)
                ledger = Ledger(self._loaded.graph, host, journal, max_bytes=_MESSAGE_BYTES, window=self._loaded.spec.window)
                ledger.fold()
                if self._drive(ledger, host):
                    return self._result(ledger, host, journal)
                self._queue.clear()

    def _drive(self, ledger: Ledger, host: Host) -> bool:
        """Whether the workflow is complete; otherwise the driver is to be killed here."""
        source = host.source(ledger.source_count)
        for step in range(_MAX_STEPS):
            if ledger.complete:
                return True
            if ledger.wants_source:
                chunk = list(itertools.islice(source, _SOURCE_CHUNK))
                ledger.take_source(chunk, done=len(chunk) < _SOURCE_CHUNK)
            if self._queue:
                position = self._random.randrange(len(self._queue)) if self._faults.shuffle else 0
                for report in self._deliver(*self._queue.pop(position)):
                    ledger.take_report(report, float(step))
            ledger.commit()
            ledger.reload(float(step))
            self._queue += [(message.body, False) for message in ledger.form(float(step))]
            if self._random.random() < self._faults.restart:
                return False
        raise WorkflowFailed(f"the workflow was not complete after {_MAX_STEPS} steps")

    def _deliver(self, body: bytes, redelivered: bool) -> Iterable[wire.Report]:
        message = wire.decode_work(body)
        if not redelivered and all(self._spoil(message.task, event, self._faults.vanish) for event in message.events):
            self._queue.append((body, True))
            return []
        results: list[wire.RawResult] = []
        failures: list[wire.Failure] = []
        for event in message.events:
            if redelivered:
                failures.append(wire.Failure(event.id, event.attempt, Kind.VANISHED, "the pilot vanished"))
            else:
                self._work(message.task, event, results, failures)
        report = wire.Report(
            wire.PROTOCOL, message.message_id, message.task, message.copy, "pilot", "host", "", 0.0, results, failures
        )
        return [report, report] if self._random.random() < self._faults.duplicate else [report]

    def _spoil(self, task: str, event: wire.WorkEvent, chance: float) -> bool:
        policy = self._loaded.graph.task(task).retry
        if self._random.random() >= chance or self._spoilt[task, event.id] + 1 >= min(
            policy.max_failures, policy.max_vanishes
        ):
            return False
        self._spoilt[task, event.id] += 1
        return True

    def _work(self, task: str, event: wire.WorkEvent, results: list[wire.RawResult], failures: list[wire.Failure]) -> None:
        if event.id in self._faults.dead or self._spoil(task, event, self._faults.failure):
            failures.append(wire.Failure(event.id, event.attempt, Kind.FAILED, "a simulated failure"))
            return
        try:
            packed = self._packers[task].pack(self._consumers[task].consume(event))
        except Exception as error:  # noqa: BLE001  consumers may raise anything, as in a pilot
            failures.append(from_exception(event, error, 0.0))
        else:
            results.append(wire.RawResult(event.id, event.attempt, msgspec.Raw(wire.encode(packed.outputs)), packed.many))

    def _result(self, ledger: Ledger, host: Host, journal: SqliteJournal) -> SimulationResult:
        names = [task.name for task in self._loaded.graph.tasks]
        outputs: dict[str, list[Any]] = {name: [] for name in names}
        for terminal in journal.terminals(by_rank=True):
            if terminal.reason is None and terminal.outputs is not None:
                values = [blobs.load(output.codec, output.data) for output in decode_outputs(terminal.outputs)]
                outputs[names[terminal.event.task]] += values
        return SimulationResult(
            product=host.assemble(),
            outputs=outputs,
            dead_letters=list(letters(journal, names)),
            events=ledger.counters.as_dict(),
        )


def simulate(
    loaded: Loaded,
    application: Callable[[], AnyApplication],
    *,
    faults: Faults | None = None,
    seed: int = 0,
) -> SimulationResult:
    """Run a workflow inside this process; see `Simulation`."""
    with tempfile.TemporaryDirectory(prefix="ewms-simulation-") as folder:
        return Simulation(loaded, application, Path(folder), faults or Faults(), seed).run()
