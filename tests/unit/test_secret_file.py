"""Files that hold one secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ewms.core.errors import InputError
from ewms.secret_file import read_secret_file, write_secret_file


def test_what_was_written_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_secret_file(path, "old")
    write_secret_file(path, "secret\n")
    assert read_secret_file(path) == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["token"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o601])
def test_what_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    write_secret_file(path, "secret")
    path.chmod(mode)
    with pytest.raises(InputError, match=f"token is open to others .mode {mode:o}.; chmod 600 it, and change it") as caught:
        read_secret_file(path)
    assert "secret\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "telling"), [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "is not a text")])
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes, telling: str) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(InputError, match=telling):
        read_secret_file(path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none cannot be read: No such file"):
        read_secret_file(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_secret_file(tmp_path)
