"""Contours as text."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.confidence import WILKS
from skymap_scanner.outputs.contours import contour_text
from skymap_scanner.result import ScanResult


def test_table_holds_every_loop(make_scan: Callable[..., ScanResult]) -> None:
    one, other = (make_scan(ra, 10.0, major=6.0, minor=6.0, nsides=((32, 0),)) for ra in (350.0, 40.0))
    rows = one.levels[32].copy()
    rows["llh"] = np.minimum(rows["llh"], other.levels[32]["llh"])
    skymap = SkyMap(ScanResult(header=one.header, reco="mpe", levels={32: rows}, complete=True))
    text = contour_text(skymap, WILKS, WILKS.levels[1])
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "Wilks" in comments[0]
    assert "2 closed loops" in comments[1]
    table = np.genfromtxt(io.StringIO(text), skip_header=2, names=True)
    assert table.dtype.names == ("loop", "ra", "dec")
    assert set(table["loop"]) == {0, 1}
    assert ((table["ra"] >= 0) & (table["ra"] < 360)).all()
    for centre in (350.0, 40.0):
        middle = np.abs((table["ra"] - centre + 180) % 360 - 180) < 20
        assert table["dec"][middle].max() == pytest.approx(10 + 6 * np.sqrt(4.61), abs=1.0)
