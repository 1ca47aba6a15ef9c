"""Uploads on their way to pilots: fetched once, checked, never out of their folder."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ewms.core.config import ContextFile
from ewms.core.errors import InputError
from ewms.tms.folder import ClusterFolder
from ewms.tms.uploads import Uploads, placed
from tests.property.tms_world import PILOT

CONTENT = {"code/a.py": b"a = 1\n", "context/deep/model": b"\x00" * 10_000}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


class Source:
    """Where uploads come from."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.asked: Counter[str] = Counter()

    @asynccontextmanager
    async def open(self, workflow_id: str, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked[name] += 1
        yield self._chunks(self.content[name])

    async def _chunks(self, content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 4096):
            await asyncio.sleep(0)
            yield content[start : start + 4096]


@pytest.fixture
def folder(tmp_path: Path) -> ClusterFolder:
    return ClusterFolder(tmp_path / "here")


async def test_each_file_is_fetched_once_whoever_asks(folder: ClusterFolder) -> None:
    source = Source(CONTENT)
    uploads = Uploads(folder, source.open)
    found = await asyncio.gather(*(uploads.fetch("WF-1", DIGESTS) for _ in range(5)))
    assert all(places == found[0] for places in found)
    assert {name: path.read_bytes() for name, path in found[0].items()} == CONTENT
    assert source.asked == dict.fromkeys(CONTENT, 1)
    await Uploads(folder, source.open).fetch("WF-1", DIGESTS)
    assert source.asked == dict.fromkeys(CONTENT, 1)


async def test_what_was_damaged_here_is_fetched_again(folder: ClusterFolder) -> None:
    uploads = Uploads(folder, Source(CONTENT).open)
    places = await uploads.fetch("WF-1", DIGESTS)
    places["code/a.py"].write_text("torn")
    assert (await uploads.fetch("WF-1", DIGESTS))["code/a.py"].read_bytes() == CONTENT["code/a.py"]


async def test_what_was_damaged_on_its_way_is_refused(folder: ClusterFolder) -> None:
    uploads = Uploads(folder, Source({"code/a.py": b"other"}).open)
    with pytest.raises(InputError, match=r"code/a\.py.*WF-1.*damaged"):
        await uploads.fetch("WF-1", {"code/a.py": DIGESTS["code/a.py"]})
    assert not [path for path in folder.uploads.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "code/../../x", ""])
async def test_no_name_leads_out_of_the_folder(folder: ClusterFolder, name: str) -> None:
    with pytest.raises(InputError, match="out of its folder"):
        await Uploads(folder, Source({name: b""}).open).fetch("WF-1", {name: "0" * 64})


@pytest.mark.parametrize("workflow", ["..", "a/b", "", "."])
async def test_no_workflow_leads_out_of_the_folder(folder: ClusterFolder, workflow: str) -> None:
    with pytest.raises(InputError, match="name of a folder"):
        await Uploads(folder, Source(CONTENT).open).fetch(workflow, DIGESTS)


def test_pilots_are_told_where_they_see_the_files() -> None:
    config = placed(PILOT, DIGESTS, "/spool/WF-1")
    assert config.search_path == ("/spool/WF-1/code",)
    assert config.working_directory == "/spool/WF-1/code"
    assert config.context == (
        ContextFile(name="deep/model", path="/spool/WF-1/context/deep/model", sha256=DIGESTS["context/deep/model"]),
    )


def test_without_uploads_nothing_changes() -> None:
    assert placed(PILOT, {}, "") == PILOT
