"""The formats of icecube-skyreader, both versions, and files that are none."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.event import EventHeader
from skymap_scanner.maps.best import best_fit
from skymap_scanner.outputs.skyreader import NAN, mirrored, read_result, to_json, to_npz
from skymap_scanner.result import ROW, ScanResult

REFERENCE = Path(__file__).parents[5] / "shared" / "events"
"""Real results, beside the repository where there are any."""

values = st.one_of(st.just(float("nan")), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def results(draw: st.DrawFn) -> ScanResult:
    levels = {}
    for nside in sorted(draw(st.sets(st.sampled_from([1, 8, 4096]), min_size=1))):
        index = sorted(draw(st.sets(st.integers(0, 12 * nside**2 - 1), max_size=5)))
        levels[nside] = np.array([(one, *(draw(values) for _ in range(7))) for one in index], dtype=ROW)
    header = EventHeader(
        run_id=draw(st.integers(0, 10**8 - 1)),
        event_id=draw(st.integers(0, 10**12 - 1)),
        mjd=draw(values),
        event_type=draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)),
        is_real=draw(st.booleans()),
    )
    return ScanResult(
        header=header, reco="mpe", levels=levels, complete=draw(st.booleans()), gives_direction=draw(st.booleans())
    )


def assert_same(one: ScanResult, other: ScanResult) -> None:
    for field in ("run_id", "event_id", "event_type", "is_real"):
        assert getattr(one.header, field) == getattr(other.header, field)
    np.testing.assert_equal(one.header.mjd, other.header.mjd)
    assert (one.reco, one.complete, one.gives_direction) == (other.reco, other.complete, other.gives_direction)
    assert list(one.levels) == list(other.levels)
    for nside, rows in one.levels.items():
        for name in ROW.names or ():
            np.testing.assert_array_equal(rows[name], other.levels[nside][name])


@settings(max_examples=40, deadline=None)
@given(results())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, result: ScanResult) -> None:
    folder = tmp_path_factory.mktemp("results")
    (folder / "a.json").write_text(to_json(result), encoding="utf-8")
    (folder / "a.npz").write_bytes(to_npz(result))
    assert_same(read_result(folder / "a.json"), result)
    assert_same(read_result(folder / "a.npz"), result)
    assert to_npz(result) == to_npz(read_result(folder / "a.npz"))


def test_json_is_json_and_has_the_keys_of_skyreader(make_scan: Callable[..., ScanResult]) -> None:
    document = json.loads(to_json(make_scan(1.0, 2.0)), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert list(document) == ["nside-8", "nside-64", "nside-512"]
    level = document["nside-8"]
    assert set(level) == {"columns", "metadata", "data"}
    assert level["columns"] == ["index", "llh", "E_in", "E_tot", "X", "Y", "Z", "T"]
    assert level["data"][7][0] == 7
    assert level["data"][7][2:] == [NAN] * 6
    assert level["metadata"]["version"] == 1
    assert level["metadata"]["nside"] == 8


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def level(version: int, data: list[list[Any]], **metadata: Any) -> dict[str, Any]:
    columns = ["index", "llh", "E_in", "E_tot"] + (["X", "Y", "Z", "T"] if version else [])
    about = {"nside": 1, "run_id": 1, "event_id": 2, "event_type": "HESE", "mjd": 5.0, **metadata}
    return {"columns": columns, "data": data, "metadata": about}


@pytest.mark.parametrize("nan", [float("nan"), NAN])
def test_version_0_and_both_kinds_of_nan(tmp_path: Path, nan: object) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"nside-1": level(0, [[3, nan, nan, nan], [1, 7.5, 1.0, 2.0]])}))
    rows = read_result(path).levels[1]
    assert rows["index"].tolist() == [1, 3]
    np.testing.assert_array_equal(rows["llh"], [7.5, np.nan])
    assert np.isnan(rows["X"]).all()


def test_npz_without_header_is_from_a_version_that_had_none(tmp_path: Path) -> None:
    old = np.dtype([("index", "i8"), ("llh", "f8"), ("E_in", "f8"), ("E_tot", "f8")])
    rows = np.array([(3, 2.0, 1.0, 1.0), (0, 1.0, 1.0, 1.0)], dtype=old)
    (tmp_path / "old.npz").write_bytes(npz(**{"nside-1": rows}))
    result = read_result(tmp_path / "old.npz")
    assert result.levels[1]["llh"].tolist() == [1.0, 2.0]
    assert result.header.run_id == 0
    assert result.complete


def test_mirrored_exchanges_north_and_south(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(77.0, 33.0)
    flipped = mirrored(scan)
    best = best_fit(flipped.levels)
    assert best is not None
    assert np.degrees([best.ra, best.dec]) == pytest.approx([77.0, -33.0], abs=0.1)
    assert all((np.diff(rows["index"]) > 0).all() for rows in flipped.levels.values())
    assert_same(mirrored(flipped), scan)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"not json",
        b"\xff\xfe",
        b"PK\x03\x04 and then nothing",
        b'{"nside-3": {}}',
        b'{"nside-8": 5}',
        b'{"sky": {"columns": [], "data": [], "metadata": {}}}',
        json.dumps({"nside-1": level(0, [[0, 1.0, 1.0]])}).encode(),
        json.dumps({"nside-1": level(0, [[0, 1.0, 1.0, "x"]])}).encode(),
        json.dumps({"nside-1": level(0, [[12, 1.0, 1.0, 1.0]])}).encode(),
        json.dumps({"nside-1": level(0, [[-1, 1.0, 1.0, 1.0]])}).encode(),
        json.dumps({"nside-1": level(0, [[1, 1.0, 1.0, 1.0], [1, 1.0, 1.0, 1.0]])}).encode(),
        json.dumps({"nside-1": {**level(0, [[0, 1.0]]), "columns": ["index", "sky"]}}).encode(),
        json.dumps({"nside-1": {**level(0, [[1.0]]), "columns": ["llh"]}}).encode(),
        npz(),
        npz(**{"nside-1": np.zeros(3)}),
        npz(**{"nside-7": np.zeros(3, dtype=ROW)}),
        npz(**{"nside-1": np.array([{}], dtype=object)}),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(EventError, match="not a scan result") as caught:
        read_result(path)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EventError, match="No such file"):
        read_result(tmp_path / "none.json")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_files_are_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = to_npz(data.draw(results()))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    path = tmp_path_factory.mktemp("damaged") / "a.npz"
    path.write_bytes(damaged)
    with contextlib.suppress(EventError):
        assert read_result(path).levels


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="real results are not beside the repository")
def test_real_results_are_read() -> None:
    paths = sorted(REFERENCE.glob("reference_results/*/*.json"))
    assert len(paths) == 8
    for path in paths:
        result = read_result(path)
        assert list(result.levels) == [1]
        assert len(result.levels[1]) == 12
        assert result.header.run_id in {127907, 136662, 138632}


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="real results are not beside the repository")
def test_real_old_npz_is_mirrored() -> None:
    result = read_result(REFERENCE / "run00136662-evt000035405932-BRONZE-8_64_512.npz")
    best = best_fit(mirrored(result).levels)
    assert best is not None
    assert np.degrees([best.ra, best.dec]) == pytest.approx([47.197, -3.284], abs=0.001)


def test_partial_scan_says_so(tmp_path: Path, make_scan: Callable[..., ScanResult]) -> None:
    partial = dataclasses.replace(make_scan(1.0, 2.0), complete=False)
    (tmp_path / "a.json").write_text(to_json(partial))
    assert not read_result(tmp_path / "a.json").complete
