"""Folders, stores and webhooks: what lies there, and what happens while one is away."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import fsspec
import pytest

from skymap_scanner.skydriver.auto import targets as module
from skymap_scanner.skydriver.auto.parcel import Parcel, parcel_of
from skymap_scanner.skydriver.auto.policy import Target
from skymap_scanner.skydriver.auto.publication import PublicationDocument
from skymap_scanner.skydriver.auto.spool import Spool
from skymap_scanner.skydriver.auto.targets import Targets, Undelivered

FILES = {"best_fit.json": b'{"ra": 1}', "x.notice.json": b'{"id": 2}', "x.json": b"{}", "x.fits": b"\0map", "x.png": b"png"}
PUBLICATION = PublicationDocument(
    publication_id="S1.shift",
    alert_id="AL-1",
    scan_id="S1",
    rule="bright",
    target="shift",
    event="run00118000.evt000000000007.gold",
    partial=3,
    ended="complete",
)


class Hook:
    """Takes the place of the service's webhooks."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        self.problem = ""

    async def __call__(self, url: str, body: bytes, delivery_id: str) -> str:
        self.calls.append((url, json.loads(body), delivery_id))
        return self.problem


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def targets(hook: Hook) -> Targets:
    return Targets(hook)


def parcel(patterns: tuple[str, ...] = ("*",)) -> Parcel:
    return parcel_of(PUBLICATION, "final", FILES, patterns)


def names_below(folder: Path, pattern: str) -> list[str]:
    return [path.name for path in folder.rglob(pattern)]


def check_listed(found: dict[str, bytes]) -> None:
    told = json.loads(found.pop("published.json"))
    assert (told["stage"], told["state"], told["rule"], told["scan_id"]) == ("final", "complete", "bright", "S1")
    assert {file["name"]: file["sha256"] for file in told["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in found.items()
    }


async def test_a_folder_has_the_files_and_their_list(targets: Targets, tmp_path: Path) -> None:
    target = Target(folder=str(tmp_path))
    for _ in range(2):  # a repeat has the same names
        await targets.send("shift", target, parcel(), "id", "")
        place = tmp_path / "run00118000.evt000000000007.gold" / "S1" / "final"
        found = {path.name: path.read_bytes() for path in place.iterdir()}
        check_listed(found)
        assert found == FILES


async def test_a_store_has_them_too(targets: Targets) -> None:
    target = Target(url="memory://alerts/maps", files=("*.json",))
    await targets.send("archive", target, parcel(target.files), "id", "")
    memory = fsspec.filesystem("memory")
    place = "/alerts/maps/run00118000.evt000000000007.gold/S1/final"
    found = {Path(name).name: memory.cat_file(name) for name in memory.ls(place, detail=False)}
    check_listed(found)
    assert sorted(found) == ["best_fit.json", "x.json", "x.notice.json"]


async def test_a_store_that_is_a_folder_is_written_like_one(targets: Targets, tmp_path: Path) -> None:
    await targets.send("archive", Target(url=f"file://{tmp_path}"), parcel(), "id", "")
    assert len(names_below(tmp_path, "*.fits")) == 1


async def test_a_webhook_is_told_the_numbers_and_where_the_files_are(targets: Targets, hook: Hook) -> None:
    await targets.send(
        "desk", Target(webhook="https://example.org/"), parcel(), "S1.desk.final", "https://ewms/files/product"
    )
    url, body, delivery_id = hook.calls[0]
    assert (url, delivery_id) == ("https://example.org/", "S1.desk.final")
    assert body["documents"] == {"best_fit.json": {"ra": 1}, "x.notice.json": {"id": 2}}
    assert {file["url"] for file in body["files"]} == {f"https://ewms/files/product/{name}" for name in FILES}
    hook.problem = "it answered 500"
    with pytest.raises(Undelivered, match="target desk: it answered 500"):
        await targets.send("desk", Target(webhook="https://example.org/"), parcel(), "S1.desk.final", "")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(folder="/none/at/all"), "folder /none/at/all is not there"),
        (Target(url="nope://x/y"), "nope"),
    ],
)
async def test_a_target_that_is_away_is_told_in_one_line(targets: Targets, target: Target, said: str) -> None:
    with pytest.raises(Undelivered, match=f"target shift: .*{said}"):
        await targets.send("shift", target, parcel(), "id", "")


async def test_a_draft_is_never_left(targets: Targets, tmp_path: Path) -> None:
    place = tmp_path / "run00118000.evt000000000007.gold" / "S1" / "final" / "x.fits"
    place.mkdir(parents=True)  # so that the file cannot be written
    with pytest.raises(Undelivered, match="target shift"):
        await targets.send("shift", Target(folder=str(tmp_path)), parcel(), "id", "")
    assert not names_below(tmp_path, "*.draft")
    assert not names_below(tmp_path, "published.json"), "what is not whole is not listed"


async def test_a_target_that_hangs_holds_up_nobody_else(
    targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, write = threading.Event(), module._write

    def hanging(target: Target, parcel: Parcel) -> None:
        if target.folder == "/hangs":
            goes_on.wait()
        else:
            write(target, parcel)

    monkeypatch.setattr(module, "_write", hanging)
    hanging_ones = [asyncio.create_task(targets.send("a", Target(folder="/hangs"), parcel(), "id", "")) for _ in range(10)]
    try:
        await targets.send("b", Target(folder=str(tmp_path)), parcel(), "id", "")
        assert not any(task.done() for task in hanging_ones)
    finally:
        goes_on.set()
        await asyncio.gather(*hanging_ones)
        targets.close()


class TestSpool:
    """Partial results on their way."""

    def test_it_keeps_what_it_is_given(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path / "spool")
        spool.put("S1", 1, {"a.json": b"1", "../b": b"2"})
        spool.put("S1", 1, {"a.json": b"another"})
        assert spool.get("S1", 1) == {"a.json": b"1", "../b": b"2"}
        assert [path.name for path in tmp_path.iterdir()] == ["spool"]

    def test_it_forgets(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path)
        for number in (1, 2, 3):
            spool.put("S1", number, {"a": b""})
        spool.put("S2", 1, {"a": b""})
        spool.forget_before("S1", 3)
        assert spool.get("S1", 3)
        with pytest.raises(FileNotFoundError):
            spool.get("S1", 2)
        spool.forget("S1")
        spool.forget("S1")
        assert [path.name for path in tmp_path.iterdir()] == ["S2"]
