"""Multi-order maps and MOCs, read with astropy alone; other readers are asked in tests/readers."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
from astropy.io import fits

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.multiorder import moc, multiorder_map
from skymap_scanner.result import ScanResult


def cells_of_moc(uniq: np.ndarray) -> set[tuple[int, int]]:
    """The pixels of order 9 inside, as ranges."""
    order = (np.array([int(number).bit_length() for number in uniq]) - 1) // 2 - 1
    index = uniq - (4 << (2 * order))
    return {(int(i) << 2 * (9 - int(o)), (int(i) + 1) << 2 * (9 - int(o))) for o, i in zip(order, index, strict=True)}


def test_map_is_a_probability_density(make_scan: Callable[..., ScanResult]) -> None:
    skymap = SkyMap(make_scan(57.3, 17.2))
    with fits.open(io.BytesIO(multiorder_map(skymap))) as hdus:
        hdus.verify("exception")
        header, table = hdus[1].header, hdus[1].data
        assert table["UNIQ"].dtype.kind == "i"
        assert table["UNIQ"].itemsize == 8
        assert (np.diff(table["UNIQ"]) > 0).all()
        order = np.floor(np.log2(table["UNIQ"] / 4) / 2).astype(int)
        area = np.pi / 3 / 4.0**order
        assert area.sum() == pytest.approx(4 * np.pi)
        assert (table["PROBDENSITY"] * area).sum() == pytest.approx(1.0)
    layout = {key: header[key] for key in ("PIXTYPE", "ORDERING", "COORDSYS", "MOCORDER", "INDXSCHM", "TTYPE1", "TUNIT2")}
    assert layout == {
        "PIXTYPE": "HEALPIX",
        "ORDERING": "NUNIQ",
        "COORDSYS": "C",
        "MOCORDER": 9,
        "INDXSCHM": "EXPLICIT",
        "TTYPE1": "UNIQ",
        "TUNIT2": "sr-1",
    }


def test_cards_say_which_event_and_what_was_found(make_scan: Callable[..., ScanResult]) -> None:
    with fits.open(io.BytesIO(multiorder_map(SkyMap(make_scan(57.3, 17.2, angle=0.0))))) as hdus:
        header = hdus[1].header
    assert (header["RUNID"], header["EVENTID"], header["I3TYPE"], header["RECO"]) == (138632, 31747601, "gold", "mpe")
    assert (header["MJD-OBS"], header["DATE-OBS"]) == (60051.25, "2023-04-17T06:00:00.000000")
    assert (header["RA"], header["DEC"]) == pytest.approx((57.3, 17.2), abs=0.1)
    width = header["RA_ERR_PLUS_90"] + header["RA_ERR_MINUS_90"]
    assert width * np.cos(np.radians(17.2)) == pytest.approx(2 * 0.3 * np.sqrt(4.61), rel=0.05)
    assert header["DEC_ERR_PLUS_50"] + header["DEC_ERR_MINUS_50"] == pytest.approx(2 * 0.2 * np.sqrt(1.39), rel=0.1)
    assert header["CONTOUR_AREA_90"] == pytest.approx(4.61 * np.pi * 0.06, rel=0.03)
    assert header["CONTOUR_AREA_50"] == pytest.approx(1.39 * np.pi * 0.06, rel=0.1)
    assert "Wilks" in header["COMMENTS"]
    assert "NaN" in header["NOTE"]


def test_unknown_time_has_no_card(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    timeless = dataclasses.replace(scan, header=dataclasses.replace(scan.header, mjd=float("nan")))
    with fits.open(io.BytesIO(multiorder_map(SkyMap(timeless)))) as hdus:
        assert "MJD-OBS" not in hdus[1].header


@pytest.mark.parametrize("two_delta", [1.39, 64.2, 1e9])
def test_moc_holds_the_cells_below_the_level(make_scan: Callable[..., ScanResult], two_delta: float) -> None:
    skymap = SkyMap(make_scan(57.3, 17.2))
    with fits.open(io.BytesIO(moc(skymap, two_delta))) as hdus:
        uniq = np.array(hdus[1].data["UNIQ"], dtype=np.int64)
        assert hdus[1].header["ORDERING"] == "NUNIQ"
    inside = skymap.cells.uniq[skymap.cells.two_delta < two_delta]
    assert (np.diff(uniq) > 0).all()
    assert len(uniq) <= len(inside)
    numbers = [np.zeros(12 << 18, dtype=bool) for _ in range(2)]
    for number, cells in zip(numbers, (uniq, inside), strict=True):
        for begin, end in cells_of_moc(cells):
            number[begin:end] = True
    np.testing.assert_array_equal(numbers[0], numbers[1])
    if two_delta == 1e9:
        assert uniq.tolist() == list(range(4, 16))


def test_full_siblings_are_one_cell(make_scan: Callable[..., ScanResult]) -> None:
    uniq_of = {}
    for two_delta in (64.2, 600.0):
        with fits.open(io.BytesIO(moc(SkyMap(make_scan(57.3, 17.2)), two_delta))) as hdus:
            uniq_of[two_delta] = np.array(hdus[1].data["UNIQ"], dtype=np.int64)
    for uniq in uniq_of.values():
        _, siblings = np.unique(uniq >> 2, return_counts=True)
        assert siblings.max() < 4
