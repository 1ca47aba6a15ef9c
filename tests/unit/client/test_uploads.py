"""Contents go to the service once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ewms.client.connection import Connection
from ewms.client.uploads import upload
from ewms.core.errors import InputError
from tests.support.stand_in import Answer, Asked, StandIn


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def kept(service: StandIn) -> dict[str, bytes]:
    """What the stand-in keeps, by sha256."""
    kept: dict[str, bytes] = {}

    def keep(asked: Asked) -> Answer:
        kept[asked.path.rpartition("/")[2]] = asked.body
        return Answer({}, 201)

    def tell_missing(asked: Asked) -> Answer:
        missing = [digest for digest in asked.json()["sha256"] if digest not in kept]
        for digest in missing:
            service.routes[f"PUT /api/files/{digest}"] = keep
        return Answer({"missing": missing})

    service.routes["POST /api/files/missing"] = tell_missing
    return kept


def test_each_content_once_under_all_its_names(
    connection: Connection, kept: dict[str, bytes], service: StandIn, tmp_path: Path
) -> None:
    big = b"x" * (3 << 20)
    contents = {"code/a.py": b"same", "code/b.py": b"same", "inputs/big": big, "inputs/empty": b""}
    files = {}
    for name, data in contents.items():
        files[name] = tmp_path / name.replace("/", "-")
        files[name].write_bytes(data)
    told: list[tuple[int, int]] = []
    digests = upload(connection, files, lambda sent, missing: told.append((sent, missing)))
    assert digests == {name: sha256(data) for name, data in contents.items()}
    assert kept == {sha256(data): data for data in contents.values()}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    asked = len(service.asked)
    assert upload(connection, files) == digests
    assert len(service.asked) == asked + 1, "nothing is sent again"


def test_no_files_need_no_request(connection: Connection, service: StandIn) -> None:
    assert upload(connection, {}) == {}
    assert service.asked == []


def test_a_file_that_the_service_does_not_take(connection: Connection, service: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    service.answer("POST /api/files/missing", Answer({"missing": [sha256(b"a")]}))
    service.answer(f"PUT /api/files/{sha256(b'a')}", Answer({"code": 413, "error": "above 10 bytes"}, 413))
    with pytest.raises(InputError, match="above 10 bytes"):
        upload(connection, {"inputs/a": path})


def test_a_file_that_has_gone(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        upload(connection, {"inputs/a": tmp_path / "gone"})
