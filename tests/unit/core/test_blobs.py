from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import fsspec
import msgspec
import pytest

from ewms import blobs
from ewms.blobs import BlobRef, BlobStore
from ewms.core import codecs
from ewms.core.codecs import Payload
from ewms.core.errors import InputError, PayloadError

BIG = Payload("bytes", b"x" * 101)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    url = str(tmp_path / "blobs") if request.param == "folder" else f"memory://{tmp_path}"
    return BlobStore(url, threshold=100)


def reference(payload: Payload) -> BlobRef:
    return msgspec.msgpack.decode(payload.data, type=BlobRef)


def overwrite(ref: BlobRef, data: bytes) -> None:
    with fsspec.open(ref.url, "wb") as stream:
        stream.write(data)


def test_a_payload_up_to_the_threshold_stays(store: BlobStore) -> None:
    payload = Payload("bytes", b"x" * 100)
    assert store.shrink(payload) is payload


def test_a_larger_one_goes_by_reference_and_comes_back(store: BlobStore) -> None:
    small = store.shrink(BIG)
    assert small.codec == "@bytes"
    assert reference(small).size == 101
    assert reference(small).sha256 == hashlib.sha256(BIG.data).hexdigest()
    assert blobs.resolve(*small) == BIG
    assert blobs.load(*small) == BIG.data


def test_a_reference_is_not_referred_to_again(store: BlobStore) -> None:
    long = Payload("@json", b"r" * 500)
    assert store.shrink(long) is long


def test_values_of_any_codec_come_back(store: BlobStore) -> None:
    value = {"words": ["long"] * 100}
    assert blobs.load(*store.shrink(codecs.encode(value))) == value
    assert blobs.load(*codecs.encode(value)) == value


def test_the_same_content_is_one_file(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path), threshold=100)
    assert store.shrink(BIG) == store.shrink(BIG)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("spoil", [lambda data: data + b"!", lambda data: data[:-1], lambda data: b""])
def test_content_that_changed_is_noticed(store: BlobStore, spoil: Callable[[bytes], bytes]) -> None:
    small = store.shrink(BIG)
    overwrite(reference(small), spoil(BIG.data))
    with pytest.raises(InputError, match="has changed") as error:
        blobs.load(*small)
    assert "\n" not in str(error.value)


def test_content_that_is_gone_is_named(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path), threshold=100)
    small = store.shrink(BIG)
    Path(reference(small).url).unlink()
    with pytest.raises(InputError, match=r"cannot be read.*No such file"):
        blobs.load(*small)


def test_what_is_no_reference_is_refused() -> None:
    with pytest.raises(PayloadError, match="not a blob reference"):
        blobs.resolve("@json", b"\xc0")


def test_many_writers_of_one_content(tmp_path: Path) -> None:
    """All write at once; at no time does a reader find half a file."""
    data = bytes(range(256)) * 4000
    start = threading.Barrier(8)
    found: list[bytes] = []

    def write() -> None:
        start.wait(timeout=10)
        found.append(blobs.load(*BlobStore(str(tmp_path), threshold=100).shrink(Payload("bytes", data))))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert found == [data] * 8
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
