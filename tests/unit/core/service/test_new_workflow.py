"""What workers need follows from the tasks, unless it was said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ewms.core.errors import InputError
from ewms.core.service.new_workflow import NewWorkflow, WorkerRequest
from ewms.core.spec import ResourceSpec, TaskSpec

GIB = 1 << 30


def task(name: str, **resources: object) -> TaskSpec:
    return TaskSpec(name=name, python="m:f", input=f"in-{name}", resources=ResourceSpec.model_validate(resources))


def test_a_worker_can_do_every_task() -> None:
    tasks = (task("a", cpus=4, memory="2 GiB"), task("b", gpus=1, memory="3 GiB", disk="5 GiB"))
    worker = WorkerRequest().spec_for(tasks)
    assert (worker.cpus, worker.gpus, worker.disk) == (4, 1, 5 * GIB)
    assert worker.memory == 3 * GIB + (256 << 20), "the pilot needs some too"


def test_what_is_said_holds() -> None:
    worker = WorkerRequest(memory=8 * GIB, max_runtime=60, requirements="HasGPU").spec_for((task("a", memory="2 GiB"),))
    assert (worker.memory, worker.max_runtime, worker.requirements) == (8 * GIB, 60, "HasGPU")
    assert WorkerRequest().spec_for(()).memory == GIB


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": {"a.b": "c"}},
        {"labels": {"": "c"}},
        {"webhooks": ["ftp://x"]},
        {"files": {"code/../x": "0" * 64}},
        {"worker": {"requirements": "(("}},
        {"worker": {"accounting_group": "a\nqueue"}},
        {"worker": {"concurrency_limits": ["a b"]}},
        {"workers": 0},
        {"other": 1},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((ValidationError, InputError)):
        NewWorkflow.model_validate({"spec": {}} | wrong)
