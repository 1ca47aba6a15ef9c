"""A workflow from submission to product, driven by a host for a service."""

from __future__ import annotations

import json

from ewms.core.service.phases import WorkflowState
from tests.support.driving import Site, jsonl

CODE = b"""
def square(number):
    return number * number
"""
SPEC = {"name": "squares", "tasks": [{"name": "square", "python": "work:square", "input": "numbers", "output": "squares"}]}


async def test_a_submitted_workflow_is_driven_to_its_product(site: Site) -> None:
    await site.start_host()
    identity = await site.submit(SPEC, {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(200))})
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    lines = [json.loads(line) for line in site.content(document, "product/outcomes.jsonl").splitlines()]
    assert [line["output"] for line in lines] == [number * number for number in range(200)]
    assert document.counts["accepted"] == 200
    assert document.tasks["square"].terminal == document.tasks["square"].planned == 200
    assert document.driver.host == ""
    assert document.first_outcome_seconds is not None
    assert document.product == ("product/outcomes.jsonl",)
    assert json.loads(site.content(document, "summary.json"))["state"] == "complete"
    assert site.content(document, "dead_letters.jsonl") == b""
