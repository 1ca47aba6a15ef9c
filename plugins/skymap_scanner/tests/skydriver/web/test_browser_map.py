"""What a page is sent of a map: every cell once, whatever the order; unknown is unknown; small."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from skymap_scanner.event import EventHeader, PublishedFit
from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.healpixels import ring_to_nested
from skymap_scanner.result import ROW, ScanResult
from skymap_scanner.skydriver.web.browser_map import browser_map
from skymap_scanner.skydriver.web.vertices import vertices

FEW = settings(max_examples=12)
HEADER = EventHeader(run_id=138632, event_id=31747601, mjd=60051.25, event_type="gold")


def unpacked(text: str, kind: str = "<f4") -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), kind)


def cells_in(document: dict[str, object]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Number, order of the value and value of every cell."""
    runs = np.array(document["runs"], dtype=np.int64).reshape(-1, 3)
    uniq = np.concatenate([np.arange(first, first + count) for first, count, _ in runs])
    return uniq, np.repeat(runs[:, 2], runs[:, 1]), unpacked(str(document["values"]))


@st.composite
def scans(draw: st.DrawFn) -> ScanResult:
    """Any pixels of a few nsides, some without value."""
    levels = {}
    for nside in sorted(draw(st.sets(st.sampled_from([1, 2, 8, 64, 4096]), min_size=1))):
        index = sorted(draw(st.sets(st.integers(0, 12 * nside**2 - 1), max_size=12)))
        rows = np.zeros(len(index), dtype=ROW)
        rows["index"] = index
        for name in ROW.names[1:]:  # type: ignore[index]
            rows[name] = [draw(st.sampled_from([math.nan, math.inf, 3.0, 7.5, 1e5])) for _ in index]
        levels[nside] = rows
    return ScanResult(header=HEADER, reco="mpe", levels=levels, complete=draw(st.booleans()))


@FEW
@given(scans())
def test_every_cell_is_there_once_with_its_value(scan: ScanResult) -> None:
    skymap = SkyMap.of(scan)
    document = json.loads(json.dumps(browser_map(skymap), allow_nan=False))
    uniq, _, values = cells_in(document)
    np.testing.assert_array_equal(uniq, skymap.cells.uniq)
    np.testing.assert_array_equal(values, skymap.cells.two_delta.astype("f4"))
    np.testing.assert_array_equal(np.isnan(values), ~skymap.cells.known)
    assert document["limits"][0] == 0.0 < document["limits"][1]
    assert np.nanmax(values, initial=0.0) <= np.float32(document["limits"][1])


@FEW
@given(scans(), st.integers(0, 1000))
def test_order_of_rows_and_levels_does_not_matter(scan: ScanResult, seed: int) -> None:
    shuffle = np.random.default_rng(seed).permutation
    levels = dict(reversed([(nside, rows[shuffle(len(rows))]) for nside, rows in scan.levels.items()]))
    other = dataclasses.replace(scan, levels=levels)
    assert json.dumps(browser_map(SkyMap.of(scan))) == json.dumps(browser_map(SkyMap.of(other)))


@FEW
@given(scans())
def test_values_are_told_apart_by_the_pixel_they_come_from(scan: ScanResult) -> None:
    skymap = SkyMap.of(scan)
    uniq, depth, values = cells_in(browser_map(skymap))
    order = np.floor(np.log2(uniq) / 2 + 1e-9).astype(int) - 1
    scanned = {
        (int(np.log2(nside)), int(nested)): llh
        for nside, rows in scan.levels.items()
        for nested, llh in zip(ring_to_nested(nside, rows["index"].astype(np.int64)), rows["llh"], strict=True)
    }
    for cell, own, from_, value in zip(uniq.tolist(), order.tolist(), depth.tolist(), values, strict=True):
        assert from_ <= own
        if not np.isnan(value):
            index = (cell - (4 << 2 * own)) >> 2 * (own - from_)
            assert np.float32(2 * (scanned[from_, index] - skymap.cells.llh[skymap.cells.known].min())) == value


@FEW
@given(scans())
def test_lines_and_directions_are_finite(scan: ScanResult) -> None:
    document = browser_map(SkyMap.of(scan))
    for contour in document["contours"]:
        for loop in contour["loops"]:
            assert len(loop) % 2 == 0
            assert all(0 <= ra <= 360 and -90 <= dec <= 90 for ra, dec in zip(loop[::2], loop[1::2], strict=True))


@FEW
@given(scans())
def test_vertices_are_those_of_the_pixels(scan: ScanResult) -> None:
    skymap = SkyMap.of(scan)
    found = vertices(skymap)
    index = unpacked(found["index"], "<i4")
    assert ((index < 0) == ~skymap.cells.known).all()
    for name, text in found.items():
        if name != "index":
            assert len(unpacked(text)) == len(index)


def test_default_map_is_small_and_says_what_was_found(make_scan: Callable[..., ScanResult]) -> None:
    fit = PublishedFit(name="OnlineL2_SplineMPE", zenith=1.4, azimuth=3.6)
    skymap = SkyMap.of(dataclasses.replace(make_scan(128.8, -9.8), fits=(fit,)))
    document = browser_map(skymap)
    assert len(json.dumps(document)) < 40_000
    keys = [(contour["scheme"], contour["key"]) for contour in document["contours"]]
    assert keys[:3] == [("wilks", "50"), ("wilks", "90"), ("wilks", "3sigma")]
    assert ("calibrated", "90") in keys
    assert document["overview"]["best_fit"]["ra"] == pytest.approx(128.8, abs=0.2)
    assert document["fits"][0]["name"] == fit.name
    assert document["fits"][0]["distance"] > 0


def test_no_direction_is_given_where_there_is_none(make_scan: Callable[..., ScanResult]) -> None:
    document = browser_map(SkyMap.of(dataclasses.replace(make_scan(10.0, 0.0), gives_direction=False)))
    assert document["contours"] == []
    assert document["overview"]["best_fit"] is None
    assert "does not tell directions" in document["verdict"]
