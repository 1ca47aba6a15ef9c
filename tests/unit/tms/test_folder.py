"""The folder of a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.errors import InputError
from ewms.tms.folder import ClusterFolder, write_private


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = ClusterFolder(tmp_path / "here")
    assert {path.stat().st_mode & 0o077 for path in (folder.path, *folder.path.iterdir())} == {0}
    write_private(folder.taskforce("TF-1") / "pilot.json", b"{}")
    assert (folder.taskforce("TF-1") / "pilot.json").stat().st_mode & 0o077 == 0


def test_only_one_tms_works_in_it(tmp_path: Path) -> None:
    first, second = ClusterFolder(tmp_path), ClusterFolder(tmp_path)
    first.lock()
    with pytest.raises(InputError, match="another TMS works in"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_where_it_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot keep its state in .*/file/here: Not a directory"):
        ClusterFolder(tmp_path / "file" / "here")


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc"])
def test_no_id_leads_out_of_it(tmp_path: Path, name: str) -> None:
    folder = ClusterFolder(tmp_path)
    for place in (folder.taskforce, folder.uploads_of, folder.event_log):
        with pytest.raises(InputError, match="the service sent a wrong id"):
            place(name)
