"""A watched folder, looked at by hand: what is taken when, and where it goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ewms.services import StoreError
from skymap_scanner.errors import EventError
from skymap_scanner.reading.limits import MAX_FILE_BYTES
from skymap_scanner.skydriver.auto.folder import WatchedFolder

PATIENCE = 5.0


class Watching:
    """A folder whose clock is turned by hand, and what was taken from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[tuple[str, bytes]] = []
        self.time = 0.0
        self.is_away = False
        self.folder = self.fresh()

    def fresh(self) -> WatchedFolder:
        """What a new process has."""
        return WatchedFolder(self.path, self._take, patience=PATIENCE, clock=lambda: self.time)

    async def _take(self, data: bytes, name: str) -> None:
        if self.is_away:
            raise StoreError("the store is away")
        if not data.startswith(b"alert"):
            raise EventError(f"{name}: it is no alert")
        self.taken.append((name, data))

    async def look(self, seconds: float = 0.0) -> int:
        self.time += seconds
        return await self.folder.look()

    def names(self, folder: str = ".") -> list[str]:
        return sorted(path.name for path in (self.path / folder).iterdir() if not path.is_dir())


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


async def test_a_file_is_taken_at_the_second_look(watching: Watching) -> None:
    (watching.path / "a.json").write_bytes(b"alert")
    assert await watching.look() == 0
    assert await watching.look() == 1
    assert watching.taken == [("a.json", b"alert")]
    assert (watching.names(), watching.names("done"), watching.names("refused")) == ([], ["a.json"], [])
    assert await watching.look() == await watching.look() == 0


async def test_a_file_that_grows_is_left_alone(watching: Watching) -> None:
    path = watching.path / "a.json"
    for content in (b"al", b"aler", b"alert"):
        path.write_bytes(content)
        assert await watching.look(1.0) == 0
    assert await watching.look(1.0) == 1
    assert watching.taken == [("a.json", b"alert")]


async def test_a_writer_that_pauses_is_waited_for(watching: Watching) -> None:
    path = watching.path / "a.json"
    path.write_bytes(b"al")
    await watching.look()
    assert await watching.look(1.0) == 1, "it is looked into"
    assert await watching.look(1.0) == 0, "and not again at every look"
    path.write_bytes(b"alert")
    await watching.look(1.0)
    await watching.look(1.0)
    assert watching.taken == [("a.json", b"alert")]
    assert watching.names("refused") == []


async def test_what_is_no_alert_is_refused_with_the_reason(watching: Watching) -> None:
    (watching.path / "a.json").write_bytes(b"nonsense")
    await watching.look()
    await watching.look(1.0)
    await watching.look(PATIENCE)
    assert watching.names("refused") == ["a.json", "a.json.reason.txt"]
    assert (watching.path / "refused" / "a.json.reason.txt").read_text() == "a.json: it is no alert\n"
    assert watching.names() == []


@pytest.mark.parametrize("name", [".a.json", "a.json.tmp", "a.json.part", "a.json~", ".a.json.swp"])
async def test_names_of_unfinished_files_are_passed_over(watching: Watching, name: str) -> None:
    (watching.path / name).write_bytes(b"alert")
    await watching.look()
    assert await watching.look() == 0
    (watching.path / name).rename(watching.path / "a.json")
    await watching.look()
    assert await watching.look() == 1


async def test_names_that_are_taken_get_a_number(watching: Watching) -> None:
    for _ in range(3):
        (watching.path / "a.json").write_bytes(b"alert")
        await watching.look()
        await watching.look()
    assert watching.names("done") == ["a-2.json", "a-3.json", "a.json"]


async def test_hostile_files_hang_nothing_and_lead_nowhere(
    watching: Watching, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_bytes(b"alert of somebody else")
    (watching.path / "link.json").symlink_to(secret)
    (watching.path / "nowhere.json").symlink_to("/none")
    os.mkfifo(watching.path / "pipe.json")
    with (watching.path / "huge.json").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    (watching.path / "folder.json").mkdir()
    (watching.path / ("x" * 250 + ".js")).write_bytes(b"nonsense")
    os.close(os.open(os.fsencode(watching.path) + b"/\xff\n\x1b[31m.json", os.O_CREAT | os.O_WRONLY))
    (watching.path / "good.json").write_bytes(b"alert")
    await watching.look()
    await watching.look(PATIENCE)
    assert watching.taken == [("good.json", b"alert")]
    assert watching.names() == []
    reasons = [path for path in (watching.path / "refused").iterdir() if path.name.endswith(".reason.txt")]
    assert len(reasons) == 6
    assert all(path.read_text().count("\n") == 1 and "\x1b" not in path.read_text() for path in reasons)
    assert secret.read_bytes() == b"alert of somebody else"
    assert (watching.path / "refused" / "link.json").is_symlink()
    assert "larger than 64 MB" in (watching.path / "refused" / "huge.json.reason.txt").read_text()


async def test_where_an_alert_cannot_be_kept_its_file_stays(watching: Watching) -> None:
    (watching.path / "a.json").write_bytes(b"alert")
    watching.is_away = True
    await watching.look()
    with pytest.raises(StoreError):
        await watching.look()
    assert watching.names() == ["a.json"]
    assert watching.folder.trouble == "the store is away"
    watching.is_away = False
    await watching.look()
    assert watching.taken == [("a.json", b"alert")]
    assert watching.folder.trouble == ""


async def test_a_new_process_goes_on(watching: Watching) -> None:
    for number in range(3000):
        (watching.path / f"{number:04}.json").write_bytes(b"alert %d" % number)
    await watching.look()
    watching.folder = watching.fresh()
    await watching.look()
    assert await watching.look() == 3000
    assert len({data for _, data in watching.taken}) == len(watching.taken) == 3000
    assert await watching.look() == 0


async def test_a_folder_that_is_not_there_is_a_trouble(watching: Watching) -> None:
    watching.path.rmdir()
    assert await watching.look() == 0
    assert "cannot be watched: No such file" in watching.folder.trouble
    watching.path.mkdir()
    assert await watching.look() == 0
    assert watching.folder.trouble == ""


async def test_a_file_that_cannot_be_moved_is_not_taken_again_and_again(watching: Watching) -> None:
    await watching.look()
    (watching.path / "done").rmdir()
    (watching.path / "a.json").write_bytes(b"alert")
    await watching.look()  # makes the folder again
    (watching.path / "done").rmdir()
    (watching.path / "done").symlink_to("/proc")
    await watching.look()
    assert "cannot be moved" in watching.folder.trouble
    assert [await watching.look() for _ in range(3)] == [0, 0, 0]
    assert len(watching.taken) == 1


async def test_files_that_vanish_are_nobodys_trouble(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    (watching.path / "a.json").write_bytes(b"alert")
    await watching.look()
    ready = watching.folder._ready

    def then_gone() -> list[Any]:
        found = ready()
        (watching.path / "a.json").unlink()
        return found

    monkeypatch.setattr(watching.folder, "_ready", then_gone)
    assert await watching.look() == 1
    assert (watching.taken, watching.folder.trouble) == ([], "")
