"""References in reports are followed to the workflow's own blob store alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ewms.blobs import BlobRef, BlobStore, load
from ewms.core import codecs, wire
from ewms.core.wire import Kind, RawResult, Report, WireOutput
from ewms.wms.references import REFUSED, screened

DIGEST = "ab" * 32


def report(*outputs: WireOutput) -> Report:
    results = [RawResult("good", 1, msgspec.Raw(wire.encode([WireOutput("json", b"1")])))]
    results.append(RawResult("other", 2, msgspec.Raw(wire.encode(list(outputs)))))
    return Report(1, "m", "work", False, "PL-1", "host", "", 0.1, results, [])


def screen(one: Report, store: BlobStore) -> Report:
    [seen] = screened(wire.encode([one]), [one], store)
    return seen


@pytest.mark.parametrize(
    "url",
    [
        "/dev/zero",
        "/etc/passwd",
        "http://127.0.0.1/",
        "{store}/../secrets/token",
        "{store}/ab/../../secrets",
        "{store}/cd/" + DIGEST,
        "{store}",
    ],
)
def test_what_leads_elsewhere_is_a_failure(tmp_path: Path, url: str) -> None:
    store = BlobStore(str(tmp_path / "blobs"), 10)
    ref = msgspec.msgpack.encode(BlobRef(url=url.replace("{store}", store.url), sha256=DIGEST, size=1 << 40))
    seen = screen(report(WireOutput("@json", ref)), store)
    assert [result.id for result in seen.results] == ["good"]
    [failure] = seen.failures
    assert (failure.id, failure.attempt, failure.kind, failure.reason) == ("other", 2, Kind.FAILED, REFUSED)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"no reference", wire.encode(["x", "../../etc/passwd", 3])])
def test_what_is_none_is_a_failure(tmp_path: Path, data: bytes) -> None:
    seen = screen(report(WireOutput("@json", data)), BlobStore(str(tmp_path), 10))
    assert [failure.id for failure in seen.failures] == ["other"]


@pytest.mark.parametrize("head", [b"\xd9\x05", b"\xda\x00\x05", b"\xdb\x00\x00\x00\x05"])
def test_however_a_text_is_written_a_reference_is_seen(tmp_path: Path, head: bytes) -> None:
    one = report(WireOutput("@json", b""))
    written = wire.encode([one]).replace(b"\xa5@json", head + b"@json")
    [read] = msgspec.msgpack.decode(written, type=list[Report])
    [seen] = screened(written, [read], BlobStore(str(tmp_path), 10))
    assert [failure.id for failure in seen.failures] == ["other"]


def test_our_own_are_followed_and_other_outputs_untouched(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path / "blobs"), 10)
    large = store.shrink(codecs.encode("a large body"))
    assert large.codec == "@json"
    one = report(WireOutput(*large), WireOutput("json", b'"me@host"'))
    assert screen(one, store) == one
    assert load(*large) == "a large body"


def test_outputs_that_cannot_be_read_are_a_failure(tmp_path: Path) -> None:
    one = msgspec.structs.replace(report(), results=[RawResult("other", 1, msgspec.Raw(wire.encode("@nonsense")))])
    seen = screen(one, BlobStore(str(tmp_path), 10))
    assert [failure.id for failure in seen.failures] == ["other"]
