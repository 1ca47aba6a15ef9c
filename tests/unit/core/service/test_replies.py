from __future__ import annotations

import pytest

from ewms.core.service.phases import Phase
from ewms.core.service.replies import projected, taskforce_object
from ewms.core.service.taskforce import PilotSpec, TaskforceDocument, WorkerSpec

SHOWN = {"a": 1, "b": {"c": 2, "d": {"e": 3}}}


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (None, SHOWN),
        (["a"], {"a": 1}),
        (["b.c", "b.d.e"], {"b": {"c": 2, "d": {"e": 3}}}),
        (["b", "b.c"], {"b": SHOWN["b"]}),
        (["a.x", "z", "b.z"], {"b": {}}),
    ],
)
def test_projections(keys: list[str] | None, found: dict[str, object]) -> None:
    before = str(SHOWN)
    assert projected(SHOWN, keys) == found
    assert str(SHOWN) == before


@pytest.mark.parametrize(
    ("fields", "n_workers"),
    [
        ({}, None),
        ({"n_workers": 9}, 9),
        ({"phase": Phase.PENDING_STARTER, "workers": 4}, 4),
        ({"phase": Phase.PENDING_STARTER, "workers": 4, "n_workers": 9}, 9),
        ({"phase": Phase.CONDOR_SUBMIT, "workers": 4, "n_workers": 9, "submitted_workers": 5}, 5),
    ],
)
def test_a_tms_of_ewms_is_always_told_how_many(fields: dict[str, object], n_workers: int | None) -> None:
    document = TaskforceDocument.model_validate({
        "taskforce_uuid": "TF-1", "task_id": "TK-1", "workflow_id": "WF-1", "timestamp": 1.0, "priority": 50,
        "cluster": "c", "n_workers": None, "worker": WorkerSpec(), "pilot": PilotSpec(files={"code/a": "0"}), **fields,
    })  # fmt: skip
    shown = taskforce_object(document, [])
    assert shown["n_workers"] == n_workers
    assert shown["pilot_config"]["input_files"] == ["code/a"]
    assert shown["worker_config"]["worker_memory"] == 1 << 30
