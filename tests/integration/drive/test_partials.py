"""A partial product is among a workflow's files while it runs, and nothing of it is left when the product is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ewms.core.query import Query
from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import FILES
from tests.support.driving import Site

APPLICATION = b"""
import os, time
import ewms

class Growing(ewms.Application):
    consumer = "growing:work"

    def __init__(self, inputs=(), fault=""):
        super().__init__(inputs)
        self.fault = fault
        self.seen = []

    def start(self):
        for number in range(6):
            yield ewms.Event(id=str(number), body=number)

    def advance(self, outcome):
        self.seen.append(outcome.value)
        return []

    def snapshot(self):
        if self.fault:
            raise ValueError(self.fault)
        if len(self.seen) < 2:
            return None
        files = {"seen.txt": ",".join(map(str, sorted(self.seen)))}
        return files | ({"early.txt": "early"} if len(self.seen) < 4 else {})

    def status(self):
        return f"{len(self.seen)} seen\\nand more"

    def assemble(self):
        return {"seen.txt": ",".join(map(str, sorted(self.seen)))}

def work(number):
    while not os.path.exists(os.path.join(os.environ["GATES"], str(number))):
        time.sleep(0.01)
    return number
"""


def spec(fault: str = "") -> dict[str, object]:
    task = {"name": "work", "python": "growing:work", "input": "numbers", "output": "seen", "bundle": 1}
    return {"name": "growing", "application": "growing:Growing", "parameters": {"fault": fault}, "tasks": [task]}


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each event waits for a file of its number."""
    folder = tmp_path / "gates"
    folder.mkdir()
    monkeypatch.setenv("GATES", str(folder))
    return folder


async def open_gates(gates: Path, *numbers: int) -> None:
    for number in numbers:
        await asyncio.to_thread((gates / str(number)).touch)


async def begin(site: Site, fault: str = "") -> str:
    identity = await site.submit(spec(fault), {"code/growing.py": APPLICATION})
    await site.start_pilots(identity)
    return identity


def shows(text: bytes, site: Site) -> Callable[[WorkflowDocument], bool]:
    """Whether the partial product is this."""

    def condition(document: WorkflowDocument) -> bool:
        return bool(document.partial) and partial(site, document, "partial/seen.txt") == text

    return condition


def partial(site: Site, document: WorkflowDocument, name: str) -> bytes:
    with site.files.of_partials(document.workflow_id).open(document.files[name]) as stream:
        return stream.read()


def contents(site: Site, identity: str) -> list[Path]:
    """Files of partial products on the disk."""
    return [path for path in (site.folder / "files" / "partial" / identity).rglob("*") if path.is_file()]


async def known(site: Site, identity: str) -> list[str]:
    """Names of the workflow's files, as they are looked up for a download."""
    page = await site.store.find(FILES, Query.parse({"workflow_id": identity}))
    return sorted(item.body["name"] for item in page.items)


async def test_it_grows_and_gives_way_to_the_product(site: Site, gates: Path) -> None:
    await site.start_host()
    identity = await begin(site)
    await open_gates(gates, 0, 1)
    document = await site.wait(identity, lambda document: bool(document.partial), "a partial product")
    assert document.partial == ("partial/seen.txt", "partial/early.txt")
    assert partial(site, document, "partial/seen.txt") == b"0,1"
    assert (document.partial_number, document.note, document.product) == (1, "2 seen", ())
    assert await known(site, identity) == ["code/growing.py", "partial/early.txt", "partial/seen.txt"]
    await open_gates(gates, 2, 3)
    document = await site.wait(
        identity,
        lambda document: (
            document.partial == ("partial/seen.txt",) and partial(site, document, "partial/seen.txt") == b"0,1,2,3"
        ),
        "another partial product",
    )
    assert document.partial_number >= 2
    assert document.note == "4 seen"
    assert await known(site, identity) == ["code/growing.py", "partial/seen.txt"]
    await open_gates(gates, 4, 5)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert (document.partial, document.product, document.note) == ((), ("product/seen.txt",), "6 seen")
    assert site.content(document, "product/seen.txt") == b"0,1,2,3,4,5"
    assert not [name for name in (*document.files, *await known(site, identity)) if name.startswith("partial/")]
    await site.stop_hosts()
    assert contents(site, identity) == []


async def test_superseded_contents_go(site: Site, gates: Path) -> None:
    await site.start_host()
    identity = await begin(site)
    await open_gates(gates, 0, 1)
    for number in range(2, 6):
        expected = ",".join(map(str, range(number))).encode()
        await site.wait(identity, shows(expected, site), f"{number} events")
        if number < 5:
            await open_gates(gates, number)
    await site.wish(identity, Wish.PAUSE)
    await site.wait_state(identity, WorkflowState.PAUSED)
    await site.stop_hosts()
    # The newest, and the one before it for whoever is reading it.
    assert sorted(path.read_bytes() for path in contents(site, identity)) == [b"0,1,2,3", b"0,1,2,3,4"]


async def test_another_host_shows_it_on(site: Site, gates: Path) -> None:
    host = await site.start_host("first")
    identity = await begin(site)
    await open_gates(gates, 0, 1)
    await site.wait(identity, shows(b"0,1", site), "a partial product")
    await host.kill()
    site.files.of_partials(identity).put(b"not yet named when the host died")
    await site.start_host("second")
    await open_gates(gates, 2, 3)
    document = await site.wait(identity, shows(b"0,1,2,3", site), "a newer one")
    assert document.partial_number >= 2
    await open_gates(gates, 4, 5)
    await site.wait_state(identity, WorkflowState.COMPLETE)
    await site.stop_hosts()
    assert contents(site, identity) == []


async def test_one_that_fails_is_told_once_and_fails_nothing(site: Site, gates: Path) -> None:
    host = await site.start_host()
    identity = await begin(site, fault="no picture")
    await open_gates(gates, 0, 1)
    await site.wait(identity, lambda document: document.note == "2 seen", "the note")
    await open_gates(gates, 2, 3)
    await site.wait(identity, lambda document: document.note == "4 seen", "the next note")
    await open_gates(gates, 4, 5)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert (document.reason, document.partial_number) == ("", 0)
    assert site.content(document, "product/seen.txt") == b"0,1,2,3,4,5"
    log = host.log.read_text()
    assert log.count("snapshot_failed") == 1
    assert "no picture" in log


async def test_it_is_all_that_is_left_of_one_that_was_cancelled(site: Site, gates: Path) -> None:
    await site.start_host()
    identity = await begin(site)
    await open_gates(gates, 0, 1)
    await site.wait(identity, shows(b"0,1", site), "a partial product")
    await site.wish(identity, Wish.CANCEL)
    document = await site.wait_state(identity, WorkflowState.CANCELLED)
    assert document.product == ()
    assert partial(site, document, "partial/seen.txt") == b"0,1"
