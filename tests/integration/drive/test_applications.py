"""Applications that come as uploaded code: in a process of their own, whatever they do."""

from __future__ import annotations

import json

from ewms.core.service.phases import Wish, WorkflowState
from tests.support.driving import Site

APPLICATION = b"""
import ewms

class Rounds(ewms.Application):
    consumer = "flow:add"

    def __init__(self, inputs=(), rounds=3):
        super().__init__(inputs)
        self.rounds = rounds
        self.sums = {}

    def context(self):
        return {"offset.txt": b"100"}

    def start(self):
        print("on stdout")
        yield ewms.Event(id="0", body=0)

    def advance(self, outcome):
        self.sums[outcome.id] = outcome.value
        number = int(outcome.id) + 1
        FAULT
        return [ewms.Event(id=str(number), body=outcome.value)] if number < self.rounds else []

    def assemble(self):
        return {"sums.txt": "".join(f"{key} {self.sums[key]}\\n" for key in sorted(self.sums))}

    def summary(self):
        return {"rounds": len(self.sums)}

def add(number):
    return number + int(ewms.context("offset.txt").read_text())
"""
SPEC = {
    "name": "rounds",
    "application": "flow:Rounds",
    "parameters": {"rounds": 4},
    "tasks": [{"name": "add", "python": "flow:add", "input": "numbers", "output": "sums"}],
}
PRODUCT = b"0 100\n1 200\n2 300\n3 400\n"


def code(fault: bytes = b"pass") -> dict[str, bytes]:
    return {"code/flow.py": APPLICATION.replace(b"FAULT", fault)}


async def test_an_uploaded_application_makes_its_product(site: Site) -> None:
    await site.start_host()
    identity = await site.submit(SPEC, code())
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.product == ("product/sums.txt",)
    assert site.content(document, "product/sums.txt") == PRODUCT
    assert json.loads(site.content(document, "summary.json"))["rounds"] == 4
    assert "context/offset.txt" in document.files


async def test_two_users_modules_of_one_name_never_meet(site: Site) -> None:
    await site.start_host()
    one = await site.submit(SPEC, code())
    two = await site.submit(SPEC, code(b"self.sums[outcome.id] += 1"))
    for identity in (one, two):
        await site.start_pilots(identity, workers=1)
    documents = [await site.wait_state(identity, WorkflowState.COMPLETE) for identity in (one, two)]
    products = [site.content(document, "product/sums.txt") for document in documents]
    assert products == [PRODUCT, b"0 101\n1 201\n2 301\n3 401\n"]


async def test_a_failing_application_fails_its_workflow_until_it_is_mended(site: Site) -> None:
    await site.start_host()
    identity = await site.submit(SPEC, code(b"if number == 2: raise ValueError('no two')"))
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.FAILED)
    assert document.reason.startswith("application Rounds.advance raised ValueError: no two (")
    assert "flow.py:" in document.reason
    content = site.files.put(code()["code/flow.py"])
    await site.change(identity, files=document.files | {"code/flow.py": content.sha256})
    await site.wish(identity, Wish.RUN)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert site.content(document, "product/sums.txt") == PRODUCT
    assert document.reason == ""


async def test_a_crash_of_an_application_stops_no_other_workflow(site: Site) -> None:
    await site.start_host()
    crash = b"import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    crashing, sound = await site.submit(SPEC, code(crash)), await site.submit(SPEC, code())
    for identity in (crashing, sound):
        await site.start_pilots(identity, workers=1)
    document = await site.wait_state(crashing, WorkflowState.FAILED)
    assert "process was ended by SIGSEGV" in document.reason
    await site.wait_state(sound, WorkflowState.COMPLETE)


async def test_an_application_sees_no_secret_of_the_host(site: Site) -> None:
    await site.start_host()
    leak = b"import os; raise ValueError(sorted(os.environ))"
    identity = await site.submit(SPEC, code(leak))
    await site.start_pilots(identity, workers=1)
    document = await site.wait_state(identity, WorkflowState.FAILED)
    assert "PATH" in document.reason
    assert "EWMS" not in document.reason


async def test_code_that_cannot_be_imported_is_told_in_one_line(site: Site) -> None:
    await site.start_host()
    identity = await site.submit(SPEC, {"code/flow.py": b"import nothing_of_that_name\n"})
    document = await site.wait_state(identity, WorkflowState.FAILED)
    assert document.reason == "the workflow: 'flow:Rounds' cannot be imported: No module named 'nothing_of_that_name'"


async def test_tasks_that_only_the_application_knows_are_told_to_pilots(site: Site) -> None:
    await site.start_host()
    identity = await site.submit({key: value for key, value in SPEC.items() if key != "tasks"}, code())
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert [task.python for task in document.spec.tasks] == ["flow:add"]
    assert site.content(document, "product/sums.txt") == PRODUCT
