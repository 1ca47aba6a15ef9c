"""A driver host that dies, stops or is suspended: another one goes on, nothing is lost and nothing is accepted twice."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

import ewms
from ewms.core.service.phases import WorkflowState
from tests.support.driving import HostProcess, Site, jsonl

CODE = b"""
import os, time
def work(number):
    with open(os.environ["RUNS"], "a") as stream:
        stream.write(f"{number}\\n")
    while number >= 100 and not os.path.exists(os.environ["RUNS"] + ".gate"):
        time.sleep(0.02)
    return [number, number % 7]
"""
COUNT = 200


def open_gate(runs: Path) -> None:
    """Let the second half of the events run, too: until then the workflow goes on, however long hosts take."""
    runs.with_name("runs.gate").touch()


async def claims_of(host: HostProcess) -> list[str]:
    """Who had what a host took up: empty for what nobody had any more."""
    await host.wait_log("workflow_claimed")
    entries = map(json.loads, host.log.read_text().splitlines())
    return [entry["before"] for entry in entries if entry["event"] == "workflow_claimed"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that gets a line for each run of an event."""
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def spec_of(name: str = "slow") -> dict[str, object]:
    return {"name": name, "tasks": [{"name": "work", "python": "work:work", "input": "numbers", "bundle": 1}]}


def local_product(folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What `ewms run` makes of the same workflow."""
    folder.mkdir()
    folder.joinpath("work.py").write_bytes(CODE)
    folder.joinpath("numbers.jsonl").write_bytes(jsonl(range(COUNT)))
    spec = 'name = "slow"\n[[tasks]]\nname = "work"\npython = "work:work"\ninput = "numbers"\n'
    folder.joinpath("workflow.toml").write_text(spec)
    monkeypatch.setenv("RUNS", str(folder / "runs"))
    open_gate(folder / "runs")
    result = ewms.run(folder / "workflow.toml", inputs=[folder / "numbers.jsonl"], out=folder / "out", workers=2)
    return (result.product / "outcomes.jsonl").read_bytes()


async def lines_of(path: Path) -> list[str]:
    return (await asyncio.to_thread(path.read_text)).split()


async def begin(site: Site) -> str:
    """A workflow with some events accepted and many to go."""
    identity = await site.submit(spec_of(), {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(COUNT))})
    await site.start_pilots(identity)
    await site.wait(identity, lambda document: document.counts.get("accepted", 0) >= 20, "the first outcomes")
    return identity


async def holder(site: Site, identity: str) -> HostProcess:
    """The host that drives a workflow."""
    document = await site.document(identity)
    name = document.driver.host.rpartition("-")[0]
    return next(host for host in site.hosts if host.name == name)


async def test_the_other_host_finishes_what_a_killed_one_began(
    site: Site, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(site.start_host("one"), site.start_host("two"))
    identity = await begin(site)
    first = (await site.document(identity)).driver
    await (await holder(site, identity)).kill()
    await site.wait(identity, lambda document: document.driver.host not in {first.host, ""}, "another host")
    assert await claims_of(await holder(site, identity)) == [first.host]
    open_gate(runs)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.driver.epoch == first.epoch + 1
    assert document.counts["accepted"] == COUNT
    assert site.content(document, "product/outcomes.jsonl") == await asyncio.to_thread(
        local_product, site.folder / "local", monkeypatch
    )
    # What pilots held when the host died was reported to the next one: next to nothing ran twice.
    assert len(await lines_of(runs)) <= COUNT + 10


async def test_a_stopped_host_gives_its_workflows_away_at_once(site: Site, runs: Path) -> None:
    one = await site.start_host("one")
    identity = await begin(site)
    await site.start_host("two")
    one.send(signal.SIGTERM)
    await site.wait(identity, lambda document: document.driver.host.startswith("two"), "the second host")
    assert await claims_of(await holder(site, identity)) == [""], "given away, not taken after a lease"
    assert await one.stopped() == 0
    open_gate(runs)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert sorted(set(map(int, await lines_of(runs)))) == list(range(COUNT))
    assert document.counts["accepted"] == COUNT
    assert json.loads(site.content(document, "summary.json"))["events"]["accepted"] == COUNT


async def test_a_suspended_host_finds_its_workflow_taken_and_says_so(site: Site, runs: Path) -> None:
    one = await site.start_host("one")
    identity = await begin(site)
    one.send(signal.SIGSTOP)
    await site.start_host("two")
    await site.wait(identity, lambda document: document.driver.host.startswith("two"), "the second host")
    one.send(signal.SIGCONT)
    open_gate(runs)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.counts["accepted"] == COUNT
    lines = site.content(document, "product/outcomes.jsonl").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [str(number) for number in range(COUNT)]
    await one.wait_log("workflow_lost")
    await one.wait_log("host_presumed_dead")
    two = next(host for host in site.hosts if host.name == "two")
    await two.kill()
    again = await site.submit(spec_of(), {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(3))})
    await site.start_pilots(again)
    await site.wait_state(again, WorkflowState.COMPLETE)
