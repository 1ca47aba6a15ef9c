"""Multi-order maps and MOCs as gravitational-wave astronomers read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SKY = 4 * np.pi * np.degrees(1.0) ** 2
Reader = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def numbers(folder: Path) -> dict[str, Any]:
    """What we say ourselves."""
    return dict(json.loads((folder / "best_fit.json").read_text()))


@pytest.fixture(scope="module")
def path(folder: Path) -> Path:
    return folder / "gold_8_64_256.multiorder.fits"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ligo.skymap")
def test_ligo_skymap(reader: Reader, path: Path, numbers: dict[str, Any]) -> None:
    crossmatch = reader("ligo.skymap.postprocess.crossmatch").crossmatch
    table = reader("ligo.skymap.io").read_sky_map(path, moc=True)
    found = crossmatch(table, contours=(0.5, 0.9))
    assert found.contour_areas == pytest.approx(
        [numbers["credible_areas"]["50"], numbers["credible_areas"]["90"]], rel=0.001
    )
    assert found.contour_areas == pytest.approx(
        [numbers["contours"]["wilks"][key]["area"] for key in ("50", "90")], rel=0.02
    )
    assert table.meta["RUNID"] == 138632


def test_ligo_skymap_puts_the_best_fit_first(reader: Reader, path: Path, numbers: dict[str, Any]) -> None:
    coordinates = reader("astropy.coordinates")
    table = reader("ligo.skymap.io").read_sky_map(path, moc=True)
    best = coordinates.SkyCoord(numbers["best_fit"]["ra"], numbers["best_fit"]["dec"], unit="deg")
    found = reader("ligo.skymap.postprocess.crossmatch").crossmatch(table, best)
    assert found.searched_prob < 0.01


def test_mocpy(reader: Reader, path: Path, numbers: dict[str, Any]) -> None:
    moc = reader("mocpy").MOC
    for key, content in (("50", 0.5), ("90", 0.9)):
        region = moc.from_multiordermap_fits_file(path, cumul_from=0.0, cumul_to=content, no_split=False)
        assert region.sky_fraction * SKY == pytest.approx(numbers["credible_areas"][key], rel=0.02)


@pytest.mark.parametrize("key", ["50", "90", "3sigma"])
def test_mocpy_reads_our_mocs(reader: Reader, folder: Path, numbers: dict[str, Any], key: str) -> None:
    region = reader("mocpy").MOC.load(folder / f"gold_8_64_256.moc_{key}.fits", format="fits")
    assert region.sky_fraction * SKY == pytest.approx(numbers["contours"]["wilks"][key]["cell_area"], rel=1e-9)
    units = reader("astropy.units")
    best = numbers["best_fit"]
    assert region.contains_lonlat(best["ra"] * units.deg, best["dec"] * units.deg).all()
    assert not region.contains_lonlat((best["ra"] + 90) * units.deg, best["dec"] * units.deg).any()


def test_mhealpy(reader: Reader, path: Path) -> None:
    table = reader("mhealpy").HealpixMap.read_map(path)
    assert table.is_mesh_valid()
    assert table.density()
    assert np.sum(table.data * table.pixarea().value) == pytest.approx(1.0)
