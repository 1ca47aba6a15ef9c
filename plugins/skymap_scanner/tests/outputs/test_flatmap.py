"""Flat maps, as healpy reads them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import healpy
import numpy as np
import pytest
from astropy.io import fits

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.flatmap import flat_maps
from skymap_scanner.result import ScanResult


@pytest.fixture
def skymap(make_scan: Callable[..., ScanResult]) -> SkyMap:
    return SkyMap(make_scan(57.3, 17.2, major=2.0, minor=1.0, nsides=((8, 0), (64, 12))))


def test_healpy_reads_both(skymap: SkyMap, tmp_path: Path) -> None:
    llh, probability = flat_maps(skymap, 64)
    (tmp_path / "llh.fits.gz").write_bytes(llh)
    (tmp_path / "probability.fits.gz").write_bytes(probability)
    heights = healpy.read_map(tmp_path / "llh.fits.gz", dtype=np.float64)
    density = healpy.read_map(tmp_path / "probability.fits.gz", dtype=np.float64)
    vectors = np.stack(healpy.pix2vec(64, np.arange(12 * 64**2)), axis=-1)
    np.testing.assert_array_equal(heights, skymap.cells.two_delta[skymap.cells.at(vectors)])
    assert density.sum() == pytest.approx(1.0)
    assert (
        density.argmax() == heights.argmin() == skymap.result.levels[64]["index"][skymap.result.levels[64]["llh"].argmin()]
    )


def test_file_is_plain_fits_with_the_cards(skymap: SkyMap) -> None:
    for packed, column, unit in zip(flat_maps(skymap, 64), ("2DLLH", "PROB"), (None, "pix-1"), strict=True):
        with fits.open(io.BytesIO(gzip.decompress(packed))) as hdus:
            hdus.verify("exception")
            header = hdus[1].header
            assert len(hdus[1].data) == 12 * 64**2
            assert (header["TTYPE1"], header.get("TUNIT1")) == (column, unit)
            assert (header["ORDERING"], header["COORDSYS"], header["NSIDE"], header["RUNID"]) == ("RING", "C", 64, 138632)


def test_same_map_same_bytes_without_a_time(skymap: SkyMap) -> None:
    once, again = flat_maps(skymap, 64), flat_maps(skymap, 64)
    assert once == again
    assert once[0][4:8] == b"\0\0\0\0"


def test_unknown_sky_is_nan_and_improbable(skymap: SkyMap, tmp_path: Path) -> None:
    result = skymap.result
    pointed = SkyMap(ScanResult(header=result.header, reco="mpe", levels={64: result.levels[64]}, complete=True))
    for name, packed in zip(("llh", "probability"), flat_maps(pointed, 64), strict=True):
        (tmp_path / f"{name}.fits.gz").write_bytes(packed)
    heights = healpy.read_map(tmp_path / "llh.fits.gz", dtype=np.float64)
    density = healpy.read_map(tmp_path / "probability.fits.gz", dtype=np.float64)
    assert np.isnan(heights).sum() == 12 * 64**2 - 768
    assert (density[np.isnan(heights)] == 0).all()
