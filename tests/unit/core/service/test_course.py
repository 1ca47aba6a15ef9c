from __future__ import annotations

import itertools

import pytest

from ewms.core.service.course import due, is_closable, successors, why_stopped
from ewms.core.service.phases import Phase, Wish, WorkflowState
from ewms.core.service.taskforce import TaskforceDocument, WorkerSpec
from ewms.core.service.transitions import Activated, Stopped
from ewms.core.service.workflow import DriverClaim, TaskProgress, WorkflowDocument
from ewms.core.spec import TaskSpec, WorkflowSpec

LEFT = {"t": TaskProgress(planned=5, terminal=2)}
DONE = {"t": TaskProgress(planned=5, terminal=5)}


def workflow(**fields: object) -> WorkflowDocument:
    spec = WorkflowSpec(name="w", tasks=(TaskSpec(name="t", command=("true",), input="q"),))
    given = {"state": WorkflowState.RUNNING, "active": True, "tasks": LEFT, **fields}
    return WorkflowDocument.model_validate({"workflow_id": "WF-1-1", "timestamp": 0.0, "spec": spec, **given})


def taskforce(uuid: str, phase: Phase, **fields: object) -> TaskforceDocument:
    return TaskforceDocument.model_validate({
        "taskforce_uuid": uuid, "task_id": "TK-1-1-1", "workflow_id": "WF-1-1", "timestamp": 0.0, "priority": 50,
        "cluster": "c", "n_workers": None, "worker": WorkerSpec(), "phase": phase, **fields,
    })  # fmt: skip


def entropy() -> bytes:
    return next(_numbers).to_bytes(4, "big")


_numbers = itertools.count()


def test_taskforces_wait_until_the_queues_are_there() -> None:
    waiting = [taskforce("TF-1", Phase.PRE_MQ_ACTIVATION), taskforce("TF-2", Phase.PRE_LAUNCH)]
    assert due(workflow(active=False), waiting) == []
    files = {"code/a.py": "1", "inputs/x": "2", "context/m": "3", "product/p": "4"}
    assert due(workflow(files=files), waiting) == [(waiting[0], Activated({"code/a.py": "1", "context/m": "3"}))]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"state": "paused"}, ""),
        ({"wish": Wish.FINISH}, ""),
        ({"deactivated": "FINISHED"}, ""),
        ({"deactivated": "FINISHED", "origin": "v1"}, "its workflow is finished"),
        ({"deactivated": "ABORTED"}, "its workflow was given up"),
        ({"wish": Wish.CANCEL}, "its workflow was given up"),
        ({"state": "complete"}, "its workflow is complete"),
        ({"state": "failed", "reason": "boom"}, "its workflow failed: boom"),
    ],
)
def test_why_pilots_are_of_no_more_use(fields: dict[str, object], why: str) -> None:
    one = taskforce("TF-1", Phase.CONDOR_SUBMIT)
    ended = taskforce("TF-2", Phase.CONDOR_RM)
    assert why_stopped(workflow(**fields)) == why
    assert due(workflow(**fields), [one, ended]) == ([(one, Stopped("WMS", why))] if why else [])


def test_a_batch_that_ended_while_work_is_left_is_replaced_once() -> None:
    ended = taskforce("TF-1", Phase.CONDOR_COMPLETE)
    (successor,) = successors(workflow(), [ended], 0.0, entropy)
    assert (successor.replaces, successor.phase, successor.cluster) == ("TF-1", Phase.PRE_LAUNCH, "c")
    assert successors(workflow(), [ended, successor], 1e9, entropy) == []
    assert successors(workflow(tasks=DONE), [ended], 1e9, entropy) == []
    assert successors(workflow(active=False), [ended], 1e9, entropy) == []
    assert successors(workflow(deactivated="ABORTED"), [ended], 1e9, entropy) == []


def test_a_fixed_number_of_workers_is_wanted_whatever_there_is_to_do() -> None:
    ended = taskforce("TF-1", Phase.CONDOR_COMPLETE, n_workers=10)
    (successor,) = successors(workflow(tasks=DONE, origin="v1"), [ended], 0.0, entropy)
    assert successor.n_workers == 10


def test_what_ends_again_and_again_is_tried_less_and_less_often() -> None:
    chain = [taskforce("TF-0", Phase.CONDOR_COMPLETE)]
    now, pauses = 0.0, []
    for _ in range(15):
        began = now
        while not (found := successors(workflow(), chain, now, entropy)):
            now += 1.0
        pauses.append(now - began)
        chain.append(found[0].model_copy(update={"phase": Phase.CONDOR_COMPLETE}))
    assert pauses[:5] == [0, 2, 4, 8, 16]
    assert pauses[-1] == 3600


def test_a_workflow_is_closed_once_when_everything_is_over() -> None:
    ended = [taskforce("TF-1", Phase.CONDOR_COMPLETE)]
    over = workflow(state="complete", driver=DriverClaim(epoch=2))
    assert is_closable(over, ended)
    assert not is_closable(over, [*ended, taskforce("TF-2", Phase.CONDOR_RM)])
    assert not is_closable(over.model_copy(update={"closed": 2}), ended)
    assert is_closable(over.model_copy(update={"closed": 1}), ended), "it was reopened meanwhile"
    assert not is_closable(over.model_copy(update={"public": {"q": "QU-1"}}), ended), "outputs wait for their reader"
    assert is_closable(over.model_copy(update={"public": {"q": "QU-1"}, "deactivated": "FINISHED"}), ended)
    assert is_closable(workflow(closing=True), ended), "a service died in it"
    assert not is_closable(workflow(), ended)
