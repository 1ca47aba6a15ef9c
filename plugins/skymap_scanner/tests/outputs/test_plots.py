"""Pictures: what is on them, and that the same scan gives the same bytes."""

from __future__ import annotations

import dataclasses
import importlib
import io
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, imread

from skymap_scanner.event import PublishedFit
from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.plots import picture, plot_files
from skymap_scanner.outputs.plots.canvas import house_style
from skymap_scanner.outputs.plots.fullsky import full_sky
from skymap_scanner.outputs.plots.zoom import zoom
from skymap_scanner.result import ScanResult

MakeScan = Callable[..., ScanResult]


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    with house_style():
        yield


def legend_of(figure: Figure) -> list[str]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    return [text.get_text() for legend in legends if legend for text in legend.get_texts()]


def words_on(figure: Figure) -> str:
    return " ".join([figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)])


def image_of(figure: Figure) -> np.ndarray:
    shown = figure.axes[0].findobj(AxesImage)[0].get_array()
    assert shown is not None
    return np.ma.filled(shown, np.nan)


@pytest.mark.parametrize("dec", [17.2, 90.0, -89.9])
def test_zoom_shows_contours_areas_and_the_best_fit_in_the_middle(make_scan: MakeScan, dec: float) -> None:
    skymap = SkyMap(make_scan(359.9, dec, major=0.3, minor=0.3))
    assert skymap.best is not None
    figure = zoom(skymap, skymap.best, width=201)
    legend = legend_of(figure)
    assert [label.split(" (")[0] for label in legend[:3]] == ["50 %", "90 %", "3 sigma"]
    area = float(legend[1].split(",")[1].split()[0])
    assert area == pytest.approx(4.61 * np.pi * 0.09, rel=0.03)
    assert legend[-1] == "best fit"
    assert legend[-2].startswith("circle of the 90 % area, 0.6")
    image = image_of(figure)
    row, column = np.unravel_index(np.nanargmin(image), image.shape)
    assert abs(row - 100) < 20
    assert abs(column - 100) < 20
    assert "Run 138632, event 31747601, gold, 2023-04-17 06:00:00 UTC, mpe" in words_on(figure)


def test_zoom_keeps_east_to_the_left_and_north_up(make_scan: MakeScan) -> None:
    skymap = SkyMap(make_scan(80.0, 30.0))
    assert skymap.best is not None
    axes: Any = zoom(skymap, skymap.best, radius=np.radians(2.0), width=200).axes[0]
    x, y = axes.wcs.world_to_pixel_values(np.degrees(skymap.best.ra) + 1, np.degrees(skymap.best.dec) + 1)
    assert x < 99.5
    assert y > 99.5
    edge = axes.wcs.pixel_to_world_values(99.5, 199.5)
    assert edge[1] - np.degrees(skymap.best.dec) == pytest.approx(2.0, rel=1e-3)


def test_zoom_of_the_whole_sky_has_corners_outside_of_it(make_scan: MakeScan) -> None:
    skymap = SkyMap(make_scan(80.0, 30.0))
    assert skymap.best is not None
    image = image_of(zoom(skymap, skymap.best, radius=np.pi, width=100))
    assert np.isnan(image[0, 0])
    assert np.isfinite(image[50, 50])


def test_full_sky_has_hours_to_the_left(make_scan: MakeScan) -> None:
    skymap = SkyMap(make_scan(30.0, 40.0))
    figure = full_sky(skymap, width=400)
    image = image_of(figure)
    row, column = np.unravel_index(np.nanargmin(image), image.shape)
    assert column > 250
    assert row > 100
    assert np.isnan(image[0, 0])
    assert legend_of(figure)[-1] == "best fit"


def test_contour_over_the_edge_of_the_picture_is_in_two_pieces(make_scan: MakeScan) -> None:
    skymap = SkyMap(make_scan(0.0, 0.0, major=20.0, minor=20.0, nsides=((32, 0),)))
    lines = [line for line in full_sky(skymap, width=100).axes[0].get_lines() if str(line.get_label()).startswith("90 %")]
    longitude = np.asarray(lines[0].get_xdata(), dtype=float)
    assert np.isnan(longitude).any()
    jumps = np.abs(np.diff(longitude))
    assert np.nanmax(jumps) < 1.0


def test_shower_says_so_and_has_no_star(make_scan: MakeScan) -> None:
    skymap = SkyMap.of(make_scan(30.0, 40.0), SimpleNamespace(kind="cascade"))
    figure = full_sky(skymap, width=100)
    assert "shower-like" in words_on(figure)
    assert legend_of(figure) == []
    assert set(plot_files(skymap, "base", ["png"])) == {"base.fullsky.png"}


def test_published_fits_are_marked_by_name(make_scan: MakeScan) -> None:
    coordinates = pytest.importorskip("skymap_scanner.detector.coordinates")
    scan = make_scan(30.0, 40.0)
    zenith, azimuth = coordinates.to_local(np.radians([30.5]), np.radians([40.2]), scan.header.mjd)
    fits = (PublishedFit(name="OnlineL2_SplineMPE", zenith=float(zenith[0]), azimuth=float(azimuth[0])),)
    skymap = SkyMap(dataclasses.replace(scan, fits=fits))
    assert skymap.best is not None
    for figure in (full_sky(skymap, width=100), zoom(skymap, skymap.best, width=100)):
        assert "OnlineL2_SplineMPE" in legend_of(figure)


@pytest.mark.parametrize("kind", ["empty", "partial", "all NaN"])
def test_partial_scans_have_pictures(make_scan: MakeScan, kind: str) -> None:
    scan = make_scan(30.0, 40.0, nsides=((8, 0),))
    rows = scan.levels[8].copy()
    if kind == "all NaN":
        rows["llh"] = np.nan
    rows = {"empty": rows[:0], "partial": rows[100:300], "all NaN": rows}[kind]
    partial = dataclasses.replace(scan, levels={8: rows}, complete=False)
    height, width, _ = imread(io.BytesIO(picture(partial))).shape
    assert (width, height > 400) == (828, True)
    assert f"partial, {len(rows)} pixels" in words_on(full_sky(SkyMap(partial), width=50))


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_same_scan_same_bytes(make_scan: MakeScan, kind: str) -> None:
    scan = make_scan(30.0, 40.0, nsides=((8, 0), (64, 12)))
    once, again = (plot_files(SkyMap(scan), "base", [kind]) for _ in range(2))
    assert once == again
    assert set(once) == {f"base.fullsky.{kind}", f"base.zoomed.{kind}"}
    for content in once.values():
        assert b"CreationDate" not in content
        assert b"<dc:date>" not in content


def test_settings_of_the_user_do_not_matter(make_scan: MakeScan) -> None:
    scan = make_scan(30.0, 40.0, nsides=((8, 0),))
    expected = picture(scan)
    with matplotlib.rc_context({"font.size": 30.0, "image.cmap": "gray"}):
        assert picture(scan) == expected
        assert matplotlib.rcParams["font.size"] == 30.0


def test_pyplot_is_not_used() -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    importlib.import_module("skymap_scanner.outputs.plots.gallery")
    assert ("matplotlib.pyplot" in sys.modules) == loaded
