"""Delivery under everything that can go wrong, in any order: promises 1, 5 and 6 of the design.

Each rule is one thing that a driver, a broker or a pilot may do. After every step nothing may be lost, double or changed; in
the end, when faults have stopped, the product is that of an undisturbed run.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ewms.core.errors import StaleEpoch
from ewms.core.wire import Kind
from ewms.wms.ledger import Ledger

from .workflows import BUNDLES, GRAPH, REFINING, SINGLE, Workflow
from .world import Key, World

T = TypeVar("T")
which = st.integers(min_value=0, max_value=50)
"""Picks one of however many there are."""
some = st.integers(min_value=1, max_value=4)
"""How many of them."""
MOST_DISASTERS = 5
"""Without a bound most of what is tried would be a restart of nothing."""


@functools.cache
def undisturbed(workflow_name: str) -> tuple[Any, list[tuple[Key, bytes]]]:
    """Product and outcomes of a run in which nothing goes wrong."""
    workflow: Workflow = {"single": SINGLE, "bundles": BUNDLES, "graph": GRAPH, "refining": REFINING}[workflow_name]
    with tempfile.TemporaryDirectory() as folder:
        world = World(workflow, Path(folder))
        world.finish()
        try:
            return world.product(), world.outcomes()
        finally:
            world.close()


class Delivery(RuleBasedStateMachine):
    """One workflow in a world where everything fails."""

    workflow: ClassVar[Workflow]
    name: ClassVar[str]

    @initialize(window=st.sampled_from([3, 100]))
    def begin(self, window: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(self.workflow, Path(self.folder.name), window)
        self.former: Ledger | None = None
        self.disasters = 0
        self.drive()

    # The driver.

    @rule()
    def drive(self) -> None:
        """The driver takes events of its source and sends what is ready."""
        self.world.drive()

    @precondition(lambda self: self.world.ledger.wants_source)
    @rule(count=some)
    def pull(self, count: int) -> None:
        """The driver takes events of its source."""
        self.world.pull(count)

    @rule()
    def send(self) -> None:
        """The driver commits and forms messages, among them speculative copies when little else is left."""
        self.world.send()

    @precondition(lambda self: self.world.outgoing)
    @rule(n=which, confirmed=st.booleans())
    def publish(self, n: int, confirmed: bool) -> None:
        """A message reaches the broker, with or without the driver learning of it."""
        self.world.publish(pick(self.world.outgoing, n), confirmed=confirmed)

    @precondition(lambda self: self.world.reports)
    @rule(n=which, count=some)
    def take_reports(self, n: int, count: int) -> None:
        """Reports arrive, in any order."""
        for report in [pick(self.world.reports, n + i) for i in range(min(count, len(self.world.reports)))]:
            self.world.reports.remove(report)
            self.world.take(report)

    @precondition(lambda self: self.world.said)
    @rule(n=which)
    def take_report_again(self, n: int) -> None:
        """A report arrives that was perhaps taken long ago."""
        self.world.take(pick(self.world.said[::-1], n))

    @precondition(lambda self: self.world.taken)
    @rule()
    def commit(self) -> None:
        """The driver commits, then acks the reports."""
        self.world.commit()

    @precondition(lambda self: self.world.ledger.outbox.flights)
    @rule(seconds=st.sampled_from([0.5, 100.0]))
    def wait(self, seconds: float) -> None:
        """Time passes; what is out becomes a straggler."""
        self.world.now += seconds

    # Pilots.

    @precondition(lambda self: self.world.queue)
    @rule(n=which, count=some)
    def lease(self, n: int, count: int) -> None:
        """Pilots lease messages."""
        for message in [pick(self.world.queue, n + i) for i in range(min(count, len(self.world.queue)))]:
            self.world.lease(message)

    @precondition(lambda self: self.world.queue)
    @rule(ending=st.sampled_from([None, Kind.FAILED, Kind.VANISHED]))
    def flow(self, ending: Kind | None) -> None:
        """Pilots do all that there is to do, or fail in it, or all vanish and are replaced; the driver hears of it."""
        self.world.flow(ending)

    @precondition(lambda self: self.world.leased)
    @rule(n=which)
    def heartbeat(self, n: int) -> None:
        """The driver hears which pilot holds a message."""
        self.world.heartbeat(pick(self.world.leased, n))

    @precondition(lambda self: self.world.leased)
    @rule(n=which, count=some)
    def succeed(self, n: int, count: int) -> None:
        """A pilot reports results; after the last event of the message it acks."""
        self.world.work(pick(self.world.leased, n), count)

    @precondition(lambda self: self.world.leased)
    @rule(n=which, count=some)
    def fail(self, n: int, count: int) -> None:
        """Tasks raise, crash or time out."""
        self.world.work(pick(self.world.leased, n), count, Kind.FAILED)

    @precondition(lambda self: self.world.leased)
    @rule(n=which)
    def drain(self, n: int) -> None:
        """A pilot is told to stop and gives back what it has left."""
        holding = pick(self.world.leased, n)
        self.world.work(holding, len(holding.left), Kind.RETURNED)

    @precondition(lambda self: self.world.leased)
    @rule(n=which, zombie=st.booleans())
    def expire(self, n: int, zombie: bool) -> None:
        """A lease ends without a renewal: the pilot vanished, or is only suspended."""
        self.world.end_lease(pick(self.world.leased, n), zombie=zombie)

    @precondition(lambda self: self.world.zombies)
    @rule(n=which, count=some, ending=st.sampled_from([None, Kind.FAILED]))
    def report_late(self, n: int, count: int, ending: Kind | None) -> None:
        """A suspended pilot wakes up and reports on what is no longer its own."""
        self.world.work(pick(self.world.zombies, n), count, ending)

    @precondition(lambda self: self.world.zombies)
    @rule(n=which)
    def ack_late(self, n: int) -> None:
        """A suspended pilot wakes up, finishes, and acks what is no longer its own."""
        self.world.late_ack(pick(self.world.zombies, n))

    # Disasters.

    @precondition(lambda self: self.disasters < MOST_DISASTERS and self.world.terminal)
    @rule(same_broker=st.booleans())
    def crash(self, same_broker: bool) -> None:
        """The driver dies between any two steps; the next one counts on the messages that are out, or purges them."""
        self.disasters += 1
        self.former = self.world.end_driver()
        if not same_broker:
            self.world.purge()
        self.world.start_driver(same_broker=same_broker)

    @precondition(lambda self: self.disasters < MOST_DISASTERS and (self.world.leased or self.world.reports))
    @rule(driver_too=st.booleans())
    def lose_broker(self, driver_too: bool) -> None:
        """The broker dies with all it held; the driver finds that out, or dies with it."""
        self.disasters += 1
        self.world.lose_broker(driver_too=driver_too)

    @precondition(lambda self: self.former)
    @rule()
    def wake_former_driver(self) -> None:
        """A driver that was taken for dead tries to go on."""
        assert self.former is not None
        self.former.take_source((), done=False)
        with pytest.raises(StaleEpoch):
            self.former.commit()

    @precondition(lambda self: any(terminal.reason is not None for terminal in self.world.terminal.values()))
    @rule(same_broker=st.booleans())
    def replay(self, same_broker: bool) -> None:
        """The workflow is stopped and its dead letters are brought back to life."""
        self.world.commit()
        self.world.check()
        self.world.end_driver()
        if not same_broker:
            self.world.purge()
        self.world.replay()
        self.world.start_driver(same_broker=same_broker)

    # What must hold.

    @invariant()
    def promises(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.end()
        finally:
            self.world.close()
            self.folder.cleanup()

    def end(self) -> None:
        """Without further faults the workflow completes; with its dead letters replayed it gives the undisturbed product."""
        product, outcomes = undisturbed(self.name)
        self.world.finish()
        if type(self) is not Refining:
            reached = set(self.world.outcomes())
            assert self.world.outcomes() == [item for item in outcomes if item in reached]
            assert all(self.below_a_letter(key) for key, _ in set(outcomes) - reached)
        while any(self.world.journal.letters()):
            self.world.end_driver()
            self.world.replay()
            self.world.start_driver(same_broker=False)
            self.world.finish()
        assert self.world.product() == product

    def below_a_letter(self, key: Key) -> bool:
        """Whether an event is a dead letter or comes from one."""
        letters = [letter.event.id for letter in self.world.journal.letters()]
        return any(key[1] == letter or key[1].startswith(f"{letter}/") for letter in letters)


def pick(items: list[T], n: int) -> T:
    """One of the items."""
    return items[n % len(items)]


class Single(Delivery):
    """One event a message."""

    workflow, name = SINGLE, "single"


class Bundles(Delivery):
    """Several events a message."""

    workflow, name = BUNDLES, "bundles"


class GraphOfTasks(Delivery):
    """Fan-out, broadcast, fan-in, events without outputs."""

    workflow, name = GRAPH, "graph"


class Refining(Delivery):
    """Rounds with barriers, and speculation on partial knowledge."""

    workflow, name = REFINING, "refining"


pytestmark = pytest.mark.timeout(1800)  # a soak searches long; everywhere else this takes seconds

TestSingle = Single.TestCase
TestBundles = Bundles.TestCase
TestGraphOfTasks = GraphOfTasks.TestCase
TestRefining = Refining.TestCase
