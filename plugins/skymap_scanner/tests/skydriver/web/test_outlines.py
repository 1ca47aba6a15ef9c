"""Where the browser draws cells: as healpy has them, all of the sky once, also over the poles and right ascension 0."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import healpy
import numpy as np
import pytest

from skymap_scanner.maps import SkyMap
from skymap_scanner.result import ScanResult
from skymap_scanner.skydriver.web.browser_map import browser_map

MakeScan = Callable[..., ScanResult]
InNode = Callable[[str, Any], Any]
RANDOM = np.random.default_rng(7)


def some_pixels() -> list[tuple[int, int]]:
    """Order and NESTED index: all of the coarse ones, some of the fine ones, those at the poles and at the edge."""
    found = [(order, index) for order in (0, 1, 2) for index in range(12 * 4**order)]
    for order in (3, 6, 9, 12):
        some = RANDOM.integers(0, 12 * 4**order, 100)
        special = [
            healpy.ang2pix(1 << order, theta, phi, nest=True)
            for theta in (0.0, 1e-4, 0.5, 1.3, np.pi / 2, 2.5, np.pi)
            for phi in (0.0, 1e-6, np.pi / 4, np.pi)
        ]
        found += [(order, int(index)) for index in {*some.tolist(), *map(int, special)}]
    return found


def test_centres_and_corners_are_those_of_healpy(in_node: InNode) -> None:
    pixels = some_pixels()
    script = """
        const { centreOf, edgeOf } = await load("healpix.js");
        return value.map(([order, index]) => {
            const edge = edgeOf(order, index, 1);
            return { centre: centreOf(order, index), ra: [...edge.ra], dec: [...edge.dec] };
        });
    """
    for (order, index), found in zip(pixels, in_node(script, pixels), strict=True):
        corners = healpy.boundaries(1 << order, index, nest=True).T
        ours = np.stack([np.cos(found["dec"]) * np.cos(found["ra"]), np.cos(found["dec"]) * np.sin(found["ra"])], axis=-1)
        ours = np.concatenate([ours, np.sin(found["dec"])[:, None]], axis=1)
        distance = np.linalg.norm(corners[:, None] - ours[None], axis=-1).min(axis=1)
        assert distance.max() < 1e-9, (order, index)
        theta, phi = healpy.pix2ang(1 << order, index, nest=True)
        assert found["centre"][1] == pytest.approx(np.pi / 2 - theta, abs=1e-12)
        assert (found["centre"][0] - phi + np.pi) % (2 * np.pi) - np.pi == pytest.approx(0.0, abs=1e-9)


OUTLINES = """
    const { cellsOf, outlineOnSky } = await load("cells.js");
    const cells = cellsOf(value);
    return cells.order.map((order, k) => {
        const { xs, ys } = outlineOnSky(order, cells.index[k]);
        return { order, index: cells.index[k], value: cells.value[k], xs, ys };
    });
"""


def parts(outline: dict[str, Any]) -> list[np.ndarray]:
    """Its parts, each (n, 2); JSON has null for NaN."""
    points = np.array(
        [(np.nan if x is None else x, np.nan if y is None else y) for x, y in zip(outline["xs"], outline["ys"], strict=True)]
    )
    breaks = np.flatnonzero(np.isnan(points[:, 0]))
    return [part[~np.isnan(part[:, 0])] for part in np.split(points, breaks)]


def area(part: np.ndarray) -> float:
    x, y = part.T
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2


@pytest.mark.parametrize(("ra", "dec"), [(128.8, -9.8), (0.1, 2.0), (359.9, -41.0), (200.0, 89.8), (90.0, -90.0)])
def test_cells_fill_the_picture_once_and_stay_inside(make_scan: MakeScan, in_node: InNode, ra: float, dec: float) -> None:
    scan = make_scan(ra, dec, nsides=((2, 0), (16, 6), (64, 12)))
    found = in_node(OUTLINES, browser_map(SkyMap.of(scan)))
    assert len({(cell["order"], cell["index"]) for cell in found}) == len(found)
    total = 0.0
    for cell in found:
        pieces = parts(cell)
        for piece in pieces:
            assert len(piece) > 2
            assert np.isfinite(piece).all()
            assert (piece[:, 0] ** 2 / 8 + piece[:, 1] ** 2 / 2 < 1 + 1e-9).all()
        own = sum(map(area, pieces))
        # The projection keeps areas; outlines of few straight pieces lose a little of the coarse ones.
        assert own == pytest.approx(np.pi / 3 / 4 ** cell["order"], rel=0.03)
        total += own
    assert total == pytest.approx(4 * np.pi, rel=0.003)


def test_cells_without_value_are_drawn_as_such(make_scan: MakeScan, in_node: InNode) -> None:
    scan = make_scan(30.0, 30.0, nsides=((4, 0),))
    rows = scan.levels[4].copy()
    rows["llh"][[3, 100]] = np.nan
    skymap = SkyMap.of(dataclasses.replace(scan, levels={4: rows[:150]}, complete=False))
    found = in_node(OUTLINES, browser_map(skymap))
    assert sum(cell["value"] is None for cell in found) == int((~skymap.cells.known).sum()) > 2


@pytest.mark.parametrize(("ra", "dec"), [(128.8, -9.8), (0.0, 0.0), (10.0, 89.5), (300.0, -89.9)])
def test_zoomed_picture_has_the_centre_in_the_middle_and_keeps_areas(
    make_scan: MakeScan, in_node: InNode, ra: float, dec: float
) -> None:
    script = """
        const { cellsOf, cellsNear, outlineNear } = await load("cells.js");
        const { Zenithal } = await load("projections.js");
        const cells = cellsOf(value.map);
        const projection = new Zenithal(value.ra, value.dec);
        const back = projection.direction(...projection.place(value.ra + 0.01, value.dec + value.aside));
        const near = cellsNear(projection, cells, 3);
        return {
            back, middle: projection.place(value.ra, value.dec), east: projection.place(value.ra + 1e-4, value.dec),
            cells: near.map((k) => ({ order: cells.order[k], ...outlineNear(projection, cells.order[k], cells.index[k]) })),
        };
    """
    document, aside = browser_map(SkyMap.of(make_scan(ra, dec))), math.copysign(0.01, -dec)
    found = in_node(script, {"map": document, "ra": np.radians(ra), "dec": np.radians(dec), "aside": aside})
    assert np.hypot(*found["middle"]) < 1e-9
    assert found["east"][0] < 0
    assert found["back"][1] == pytest.approx(np.radians(dec) + aside)
    assert (found["back"][0] - np.radians(ra) - 0.01 + 1) % (2 * np.pi) - 1 == pytest.approx(0.0, abs=1e-9)
    for cell in found["cells"]:
        expected = np.degrees(np.degrees(np.pi / 3 / 4 ** cell["order"]))
        assert area(np.array([cell["xs"], cell["ys"]]).T) == pytest.approx(expected, rel=0.01)
    assert len(found["cells"]) > 100
