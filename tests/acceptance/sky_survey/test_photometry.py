from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from detections import Tile
from fits_tiles import Unreadable
from mock_sky import SCALE, MockSky
from photometry import measure

HDU = fits.PrimaryHDU


def tile(path: Path) -> Tile:
    return Tile(number=0, name=path.name, path=str(path), zero_point=25.0)


def measured(hdu: Any, path: Path) -> Any:
    hdu.writeto(path)
    return measure(tile(path))


def test_a_tile_from_a_file_is_measured_as_it_is_drawn(sky: MockSky, tiles: Path) -> None:
    drawn = measure(Tile(number=2, name="x", zero_point=25.0, mock=sky))
    read = measure(tile(tiles / "tile-002.fits"))
    assert read.sources.tobytes() == drawn.sources.tobytes()
    assert 2.6 * SCALE < read.seeing < 1.25 * 3.4 * SCALE  # a star's wings hold more light than a Gaussian's


def test_compressed_and_extended_files_and_other_frames_give_the_same_sources(
    sky: MockSky, tiles: Path, tmp_path: Path
) -> None:
    plain = measure(tile(tiles / "tile-000.fits"))
    hdu = sky.draw(0)
    extended = fits.HDUList([HDU(), fits.ImageHDU(hdu.data, hdu.header)])
    found = measured(extended, tmp_path / "extended.fits")
    assert found.sources.tobytes() == plain.sources.tobytes()
    hdu.writeto(tmp_path / "small.fits.gz")
    assert measure(tile(tmp_path / "small.fits.gz")).sources.tobytes() == plain.sources.tobytes()


def test_pixels_without_measurement_hide_stars_but_make_none(sky: MockSky, tmp_path: Path) -> None:
    hdu = sky.draw(0)
    before = measure(Tile(number=0, name="x", zero_point=25.0, mock=sky)).sources
    hdu.data[150:250, 100:300] = np.nan
    after = measured(hdu, tmp_path / "hole.fits").sources

    def in_hole(sources: Any) -> Any:
        return (sources["x"] > 100) & (sources["x"] < 299) & (sources["y"] > 150) & (sources["y"] < 249)

    assert in_hole(before).sum() > 5
    assert not in_hole(after).any()
    # Next to the hole the sky is known less well; elsewhere the same stars are found.
    assert abs(len(after) - (~in_hole(before)).sum()) <= 3


def test_the_zero_point_is_the_header_s_or_that_of_the_parameter(sky: MockSky, tmp_path: Path) -> None:
    hdu = sky.draw(1)
    told = measured(hdu, tmp_path / "told.fits").sources
    del hdu.header["MAGZERO"]
    untold = measured(hdu, tmp_path / "untold.fits").sources
    np.testing.assert_allclose(told["mag"] - untold["mag"], 5.0)


def test_without_a_gain_errors_are_those_of_the_sky_alone(sky: MockSky, tmp_path: Path) -> None:
    hdu = sky.draw(1)
    told = measured(hdu, tmp_path / "told.fits").sources
    del hdu.header["GAIN"]
    untold = measured(hdu, tmp_path / "untold.fits").sources
    bright = told["mag"] < 21
    assert (untold["mag_error"][bright] < told["mag_error"][bright]).all()


def test_noise_alone_has_no_sources(sky: MockSky, tmp_path: Path) -> None:
    hdu = sky.draw(0)
    hdu.data = np.random.default_rng(1).normal(100, 10, (300, 300)).astype(np.float32)
    assert len(measured(hdu, tmp_path / "noise.fits").sources) == 0


def no_place(hdu: Any) -> Any:
    return HDU(hdu.data)


def flat(hdu: Any) -> Any:
    return HDU(np.full((300, 300), 7.0, np.float32), hdu.header)


def empty(hdu: Any) -> Any:
    return HDU(np.full((300, 300), np.nan, np.float32), hdu.header)


def small(hdu: Any) -> Any:
    return HDU(hdu.data[:20, :30], hdu.header)


def cube(hdu: Any) -> Any:
    return HDU(np.zeros((3, 300, 300), np.float32))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (no_place, "no place on the sky"),
        (flat, "flat"),
        (empty, "all but empty"),
        (small, "too small: 30 x 20 pixels"),
        (cube, "no image of two dimensions"),
    ],
)
def test_an_image_that_cannot_be_measured_says_why(
    sky: MockSky, tmp_path: Path, make: Callable[[Any], Any], reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        measured(make(sky.draw(0)), tmp_path / "odd.fits")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a FITS file"),
        (b"x" * 5000, "not a FITS file"),
        (b"SIMPLE  =                    T" + b" " * 900, "not a FITS file"),
        (None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_without_its_path(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "tile.fits"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as caught:
        measure(tile(path))
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
