from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import EwmsError, InputError, SpecError
from ewms.core.graph import build_graph
from ewms.core.service.locations import Location, Locations
from ewms.core.service.requests import TaskRequest, WorkflowRequest
from ewms.core.service.submission import Submission, own_submission
from ewms.core.service.taskforce import PilotSpec, WorkerSpec
from ewms.core.service.translation import translate
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import TaskSpec, WorkflowSpec

LOCATIONS = Locations([Location(name="osg", schedd="ap.org", aliases=("OSG",)), Location(name="here", schedd="here")])


def made(request: WorkflowRequest) -> Submission:
    numbers = itertools.count(1)
    return translate(request, owner="ada", now=1.7e9, locations=LOCATIONS, entropy=lambda: next(numbers).to_bytes(4, "big"))


def task(inputs: list[str], outputs: list[str], **fields: Any) -> TaskRequest:
    given = {"cluster_locations": ["osg"], "task_image": "img", "task_args": "run {{INFILE}}", **fields}
    return TaskRequest.model_validate(given | {"input_queue_aliases": inputs, "output_queue_aliases": outputs})


def test_documents_belong_together() -> None:
    request = WorkflowRequest(
        tasks=[task(["in"], ["mid"], cluster_locations=["OSG", "here"]), task(["mid"], ["out"])],
        public_queue_aliases=["in", "out"],
        priority=7,
    )
    submission = made(request)
    workflow = submission.workflow
    assert (workflow.owner, workflow.origin, workflow.priority, workflow.clusters) == ("ada", "v1", 7, ("osg", "here"))
    assert [taskforce.cluster for taskforce in submission.taskforces] == ["osg", "here", "osg"]
    assert {queue.alias: queue.direction for queue in submission.queues} == {"in": "in", "mid": "inner", "out": "out"}
    assert workflow.public == {queue.alias: queue.mqid for queue in submission.queues if queue.is_public}
    parts = (submission.directives, submission.taskforces, submission.queues)
    assert {(part.workflow_id, part.owner) for kind in parts for part in kind} == {(workflow.workflow_id, "ada")}
    keys = [directive.task_id for directive in submission.directives]
    keys += [taskforce.taskforce_uuid for taskforce in submission.taskforces]
    assert len({*keys, *workflow.public.values()}) == len(keys) + 2


def test_a_queue_between_tasks_that_is_public_too_is_read_by_people() -> None:
    request = WorkflowRequest(tasks=[task(["in"], ["mid"]), task(["mid"], [])], public_queue_aliases=["in", "mid"])
    submission = made(request)
    assert {queue.alias: queue.direction for queue in submission.queues} == {"in": "in", "mid": "out"}
    assert build_graph(submission.workflow.spec).sources == ("in",)


aliases = st.lists(st.sampled_from(["a", "b", "c d", "e.f"]), max_size=3, unique=True)


@given(st.lists(st.tuples(aliases, aliases), min_size=1, max_size=4, unique_by=str), aliases)
def test_any_request_gives_a_sound_workflow_or_a_reason(edges: list[tuple[list[str], list[str]]], public: list[str]) -> None:
    request = WorkflowRequest(tasks=[task(*edge) for edge in edges], public_queue_aliases=public)
    refusal = ""
    try:
        submission = made(request)
    except (InputError, SpecError) as error:
        refusal = str(error)
    if refusal:
        assert len(refusal.splitlines()) == 1
        return
    graph = build_graph(submission.workflow.spec)
    assert len(graph.tasks) == sum(len(inputs) for inputs, _ in edges)
    assert {queue.alias for queue in submission.queues if queue.is_public} == set(public)


def test_a_workflow_of_our_own_has_a_directive_per_task_and_a_taskforce_per_cluster() -> None:
    spec = WorkflowSpec(
        name="w",
        tasks=(
            TaskSpec(name="a", command=("true",), input="q", output=("r",)),
            TaskSpec(name="b", command=("true",), input="r", output=("s",)),
        ),
    )
    workflow = WorkflowDocument(workflow_id="WF-1-2", timestamp=1.0, spec=spec, owner="ada", priority=9)
    numbers = itertools.count(1)
    submission = own_submission(
        workflow,
        build_graph(spec),
        locations=LOCATIONS.find_all(["osg", "here"]),
        worker=WorkerSpec(cpus=2),
        pilot=PilotSpec(slots=2),
        entropy=lambda: next(numbers).to_bytes(4, "big"),
        public={"q": "QU-1-2-1", "s": "QU-1-2-2"},
    )
    assert [directive.tasks for directive in submission.directives] == [("a",), ("b",)]
    assert [(one.cluster, one.worker.cpus, one.priority) for one in submission.taskforces] == [("osg", 2, 9), ("here", 2, 9)]
    assert {queue.alias: queue.direction for queue in submission.queues} == {"q": "in", "s": "out"}
    assert submission.workflow.public == {"q": "QU-1-2-1", "s": "QU-1-2-2"}


@pytest.mark.parametrize("names", [["mars"], ["osg", "OSG"]])
def test_locations_that_cannot_be_meant(names: list[str]) -> None:
    with pytest.raises(EwmsError):
        LOCATIONS.find_all(names)
