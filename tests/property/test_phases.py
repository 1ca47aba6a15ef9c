"""Taskforces of one workflow under every order of what users, the driver, the scheduler and a TMS do, lost words included.

The TMS is the real one's pure half, `reconcile`, over a backend in a dictionary. Any of its confirmations may be lost on the
way there (nothing happened), on the way back (it happened, and is told again), or come very late.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ewms.core.errors import NotFound
from ewms.core.service.course import due, is_closable, successors
from ewms.core.service.phases import ALLOWED, ENDING, Phase, Wish, WorkflowState
from ewms.core.service.taskforce import Order, TaskforceDocument, WorkerSpec
from ewms.core.service.transitions import (
    MAX_FAILURES,
    Assigned,
    Change,
    Completed,
    Event,
    PhaseEntry,
    RemovalFailed,
    Removed,
    SubmitFailed,
    Submitted,
    created,
)
from ewms.core.service.workflow import TaskProgress, WorkflowDocument
from ewms.core.spec import TaskSpec, WorkflowSpec
from ewms.tms.backend import Batch
from ewms.tms.reconcile import Adopt, Confirm, Remove, Resize, Stop, Submit, reconcile

PLANNED = {Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT, Phase.PENDING_STOPPER, Phase.CONDOR_RM}
DONE = {"task": TaskProgress(planned=9, terminal=9)}
deliveries = st.sampled_from(["arrives", "is lost", "arrives, its answer is lost"])


def workflow(origin: str) -> WorkflowDocument:
    """One that was submitted just now."""
    task = TaskSpec(name="task", command=("true",), input="events")
    spec = WorkflowSpec(name="w", tasks=(task,))
    progress = {"task": TaskProgress(planned=9)}
    return WorkflowDocument.model_validate(
        {"workflow_id": "WF-1-1", "timestamp": 0.0, "origin": origin, "spec": spec, "tasks": progress}
    )


class Course(RuleBasedStateMachine):
    """Activate, schedule, confirm, refuse, lose, repeat, remove behind the back, pause, abort, finish, complete, fail."""

    @initialize(origin=st.sampled_from(["v1", "ewms"]), clusters=st.integers(1, 2), is_driven=st.booleans())
    def submit_workflow(self, origin: str, clusters: int, is_driven: bool) -> None:
        self.workflow = workflow(origin)
        self.now = 0.0
        self.numbers = itertools.count(1)
        self.taskforces: dict[str, TaskforceDocument] = {}
        self.logs: dict[str, list[PhaseEntry]] = {}
        self.backend: dict[int, Batch] = {}
        self.submitted: Counter[str] = Counter()
        self.refusing = False
        self.late: list[tuple[str, Event]] = []
        for number in range(clusters):
            fixed = 3 if origin == "v1" else None
            self.add(TaskforceDocument(
                taskforce_uuid=f"TF-{number}", task_id="TK-1", workflow_id="WF-1-1", timestamp=0.0, priority=50,
                cluster=f"c{number}", n_workers=fixed, worker=WorkerSpec(),
            ))  # fmt: skip
        if is_driven:
            self.drive()
            self.carry_on(0.1, 2)

    # -- the service

    def add(self, taskforce: TaskforceDocument) -> None:
        self.taskforces[taskforce.taskforce_uuid] = taskforce
        self.logs[taskforce.taskforce_uuid] = [created(taskforce, "User", "requested")]

    def entropy(self) -> bytes:
        return next(self.numbers).to_bytes(4, "big")

    def happen(self, uuid: str, event: Event) -> Change:
        change = event.apply(self.taskforces[uuid], self.now)
        self.taskforces[uuid] = change.taskforce
        self.logs[uuid] += change.entries
        again = event.apply(change.taskforce, self.now) if not isinstance(event, SubmitFailed | RemovalFailed) else None
        assert again is None or (again.taskforce == change.taskforce and not again.entries), "a repeat leaves a trace"
        return change

    @rule(seconds=st.sampled_from([0.1, 5.0, 4000.0]), workers=st.integers(0, 4))
    def carry_on(self, seconds: float, workers: int) -> None:
        """A pass of the control loop with all that it does."""
        self.control(seconds)
        for taskforce in list(self.taskforces.values()):
            if taskforce.phase not in ENDING | {Phase.PRE_MQ_ACTIVATION}:
                self.happen(taskforce.taskforce_uuid, Assigned(workers))

    def control(self, seconds: float) -> None:
        self.now += seconds
        for taskforce, event in due(self.workflow, list(self.taskforces.values())):
            self.happen(taskforce.taskforce_uuid, event)
        for taskforce in successors(self.workflow, list(self.taskforces.values()), self.now, self.entropy):
            self.add(taskforce)

    # -- driver host and user

    @precondition(lambda self: self.workflow.state is WorkflowState.PENDING)
    @rule()
    def be_driven(self) -> None:
        self.drive()

    def drive(self) -> None:
        self.change(state=WorkflowState.RUNNING, active=True)

    @precondition(lambda self: self.workflow.state is WorkflowState.RUNNING and self.submitted)
    @rule(how=st.sampled_from(["complete", "failed", "paused"]))
    def get_on(self, how: str) -> None:
        match how:
            case "complete":
                self.change(state=WorkflowState.COMPLETE, active=False, tasks=DONE)
            case "failed":
                self.change(state=WorkflowState.FAILED, reason="application raised", active=False)
            case _:
                self.change(state=WorkflowState.PAUSED)

    @precondition(lambda self: self.workflow.state in {WorkflowState.FAILED, WorkflowState.PAUSED})
    @rule()
    def resume(self) -> None:
        self.change(state=WorkflowState.PENDING, reason="")

    @precondition(lambda self: self.workflow.deactivated is None and self.workflow.state in {"pending", "running"})
    @rule(kind=st.sampled_from(["ABORTED", "FINISHED"]))
    def deactivate(self, kind: str) -> None:
        self.change(deactivated=kind, wish=Wish.CANCEL if kind == "ABORTED" else Wish.FINISH)

    def change(self, **update: object) -> None:
        self.workflow = self.workflow.model_copy(update=update)

    # -- TMS and backend

    @rule(words=st.lists(deliveries, min_size=1, max_size=6), data=st.data())
    def reconcile(self, words: list[str], data: st.DataObject) -> None:
        """Some actions of a TMS that has a fresh plan each time, with what becomes of the words that it sends."""
        for delivery in words:
            actions = reconcile(self.plan(), list(self.backend.values()))
            if actions:
                self.act(data.draw(st.sampled_from(actions)), delivery)

    def plan(self) -> dict[str, Order]:
        planned = (t for t in self.taskforces.values() if t.phase in PLANNED)
        return {t.taskforce_uuid: Order(taskforce=t, version=1) for t in planned}

    def act(self, action: object, delivery: str) -> None:
        match action:
            case Submit(order) if self.refusing:
                self.tell(order.taskforce.taskforce_uuid, SubmitFailed("no"), delivery)
            case Submit(order):
                taskforce = order.taskforce
                batch = Batch(taskforce.taskforce_uuid, next(self.numbers), taskforce.workers)
                assert not any(one.taskforce_uuid == batch.taskforce_uuid for one in self.backend.values())
                self.backend[batch.cluster_id] = batch
                self.submitted[batch.taskforce_uuid] += 1
                self.tell(batch.taskforce_uuid, _confirmation(batch), delivery)
            case Adopt(batch):
                self.tell(batch.taskforce_uuid, _confirmation(batch), delivery)
            case Resize(batch, workers):
                self.backend[batch.cluster_id] = batch._replace(workers=workers)
            case Stop(batch) if self.refusing:
                self.tell(batch.taskforce_uuid, RemovalFailed("no"), delivery)
            case Stop(batch):
                del self.backend[batch.cluster_id]
                self.tell(batch.taskforce_uuid, Removed(), delivery)
            case Remove(batch, _):
                del self.backend[batch.cluster_id]
            case Confirm(uuid, phase):
                self.tell(uuid, Removed() if phase is Phase.CONDOR_RM else Completed(self.now), delivery)

    def tell(self, uuid: str, event: Event, delivery: str) -> None:
        if delivery == "is lost":
            self.late.append((uuid, event))
            return
        times = 2 if delivery != "arrives" and not isinstance(event, SubmitFailed | RemovalFailed) else 1
        for _ in range(times):
            self.happen(uuid, event)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def come_late(self, data: st.DataObject) -> None:
        """A word that was held up for however long: taken, acknowledged or refused, never a breach of the course."""
        uuid, event = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        before = self.taskforces[uuid]
        try:
            self.happen(uuid, event)
        except NotFound:
            assert self.taskforces[uuid] is before

    @precondition(lambda self: self.backend)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """Somebody removes a batch behind everybody's back, or its workers end."""
        del self.backend[data.draw(st.sampled_from(sorted(self.backend)))]

    @rule(refusing=st.booleans(), words=st.lists(deliveries, min_size=3, max_size=9), data=st.data())
    def change_mind(self, refusing: bool, words: list[str], data: st.DataObject) -> None:
        """The backend refuses everything, or nothing any more."""
        self.refusing = refusing
        self.reconcile(words, data)

    # -- what holds at all times

    @invariant()
    def every_step_is_allowed_and_logged_once(self) -> None:
        for uuid, log in self.logs.items():
            path = [entry.target_phase for entry in log if entry.was_successful]
            assert all(after in ALLOWED[before] for before, after in itertools.pairwise(path)), path
            assert path[-1] is self.taskforces[uuid].phase
            refusals = [entry.target_phase for entry in log if not entry.was_successful]
            assert refusals.count(Phase.CONDOR_SUBMIT) <= MAX_FAILURES
            assert refusals.count(Phase.CONDOR_RM) <= 1, "the log grows with repeats"

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        for taskforce in self.taskforces.values():
            if taskforce.phase is Phase.PENDING_STARTER:
                assert taskforce.failures < MAX_FAILURES
            if taskforce.phase is Phase.PENDING_STOPPER:
                assert taskforce.cluster_id is not None, "an EWMS TMS is offered only what was submitted"

    @invariant()
    def what_is_ending_has_a_reason_and_no_workers(self) -> None:
        for taskforce in self.taskforces.values():
            if taskforce.phase in ENDING:
                assert taskforce.reason
                assert taskforce.workers == 0

    @invariant()
    def no_place_is_taken_twice(self) -> None:
        places = Counter(t.replaces for t in self.taskforces.values() if t.replaces)
        assert not places or max(places.values()) == 1
        assert len([t for t in self.taskforces.values() if t.phase not in ENDING]) <= 2

    def teardown(self) -> None:
        """Whatever happened: once nobody wants it any more, everything ends, and nothing is left behind."""
        if not hasattr(self, "workflow"):
            return
        self.refusing = False
        self.change(state=WorkflowState.CANCELLED, deactivated="ABORTED", active=False)
        self.control(0.1)
        _repeat(lambda: reconcile(self.plan(), list(self.backend.values())), lambda action: self.act(action, "arrives"))
        assert not self.backend
        assert all(t.phase is Phase.CONDOR_COMPLETE for t in self.taskforces.values())
        assert is_closable(self.workflow, self.taskforces.values())


def _confirmation(batch: Batch) -> Submitted:
    return Submitted(cluster_id=batch.cluster_id, workers=batch.workers, submit_dict={}, event_log="log")


def _repeat(look: Callable[[], Sequence[object]], act: Callable[[object], None]) -> None:
    for _ in range(100):
        actions = look()
        if not actions:
            return
        act(actions[0])
    raise AssertionError("it does not come to rest")


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=max(150, settings().max_examples))
