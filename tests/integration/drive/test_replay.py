"""Dead letters of a complete workflow are tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import ReplayRequest
from tests.support.driving import Site, jsonl

CODE = b"""
import os
def work(number):
    if number == 3 and not os.path.exists(os.environ["GATE"]):
        raise ValueError("not three")
    return number
"""
SPEC = {
    "name": "picky",
    "tasks": [{"name": "work", "python": "work:work", "input": "numbers", "retry": {"max_failures": 1}}],
}


@pytest.mark.parametrize("event_ids", [(), ("3",)])
async def test_replay_reopens_a_complete_workflow(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event_ids: tuple[str, ...]
) -> None:
    gate = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(gate))
    await site.start_host()
    identity = await site.submit(SPEC, {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(5))})
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.counts["dead_lettered"] == 1
    assert b"not three" in site.content(document, "dead_letters.jsonl")
    gate.touch()
    request = ReplayRequest(request_id="R-1", event_ids=event_ids)
    await site.change(identity, replay=(request,), state=WorkflowState.PENDING)
    await site.wait_state(identity, WorkflowState.RUNNING)
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.replay == ()
    assert document.counts["dead_lettered"] == 0
    assert document.counts["accepted"] == 5
    assert site.content(document, "dead_letters.jsonl") == b""
    assert site.content(document, "product/outcomes.jsonl").count(b"\n") == 5
