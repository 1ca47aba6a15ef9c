"""A mock sky of stars whose places and magnitudes are known, and its tiles as a telescope would take them.

`python mock_sky.py FOLDER` writes the tiles as FITS files and the truth as `truth.csv`.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

if TYPE_CHECKING:
    from astropy.io.fits import PrimaryHDU
    from astropy.wcs import WCS

RA, DEC = 150.1, 2.2
"""Centre of the field, in degrees."""
SCALE = 0.4
"""Arc seconds a pixel."""
OVERLAP = 80
"""Pixels that neighbouring tiles share."""
DENSITY = 40.0
"""Stars in a square arc minute."""
BRIGHTEST, FAINTEST, SLOPE = 17.0, 25.5, 0.3
"""Magnitudes; the number of stars grows by 10^SLOPE with each."""
ZERO_POINT = 30.0
"""Magnitude of one count."""
GAIN = 2.0
"""Electrons a count."""
READ_NOISE = 4.0
"""Electrons."""
BETA = 3.5
"""Exponent of the stars' profile (Moffat, Astronomy & Astrophysics 3, 1969): wider wings than a Gaussian's."""
WINGS = 8.0
"""How far stars are drawn, in full widths at half maximum: all but 0.01 % of their light."""

STAR = np.dtype([("ra", "f8"), ("dec", "f8"), ("mag", "f8")])


class MockSky(BaseModel, frozen=True):
    """A square field of overlapping tiles. The same numbers make the same sky."""

    side: int = 4
    """Tiles along each side of the field."""
    size: int = 800
    """Pixels along each side of a tile."""
    seed: int = 1
    """Of everything random."""

    @property
    def count(self) -> int:
        """Of tiles."""
        return self.side**2

    def stars(self) -> npt.NDArray[Any]:
        """The truth: rows of `STAR`, strewn evenly over the field and a little beyond."""
        chance = np.random.default_rng(self.seed)
        width = (self.side * (self.size - OVERLAP) + 2 * OVERLAP) * SCALE
        stars = np.zeros(round(DENSITY * (width / 60) ** 2), STAR)
        x, y = chance.uniform(-width / 2, width / 2, (2, len(stars))) / SCALE
        stars["ra"], stars["dec"] = _projection(RA, DEC, 0.0).wcs_pix2world(x, y, 0)
        low, high = 10 ** (SLOPE * BRIGHTEST), 10 ** (SLOPE * FAINTEST)
        stars["mag"] = np.log10(chance.uniform(low, high, len(stars))) / SLOPE
        return stars

    def draw(self, number: int) -> PrimaryHDU:
        """Tile `number` with a seeing, tilt, gradient of the sky and noise of its own: float32 counts of (size, size)."""
        from astropy.io.fits import PrimaryHDU

        chance = np.random.default_rng((self.seed, number))
        wcs = self._wcs(number, chance)
        seeing = chance.uniform(2.6, 3.4)
        slope = chance.uniform(-30, 30, 2)
        y, x = np.mgrid[: self.size, : self.size] / self.size - 0.5
        counts = chance.uniform(90, 150) + slope[0] * x + slope[1] * y
        self._add_stars(counts, wcs, seeing)
        electrons = chance.poisson(counts * GAIN) + chance.normal(0, READ_NOISE, counts.shape)
        hdu = PrimaryHDU((electrons / GAIN).astype(np.float32), wcs.to_header())
        hdu.header["MAGZERO"] = (ZERO_POINT, "magnitude of one count")
        hdu.header["GAIN"] = (GAIN, "electrons a count")
        return hdu

    def _wcs(self, number: int, chance: np.random.Generator) -> WCS:
        """The tile's own projection, around its own centre, as each pointing of a telescope has."""
        step = self.size - OVERLAP
        row, column = divmod(number, self.side)
        middle = (self.side - 1) / 2
        field = _projection(RA, DEC, 0.0)
        ra, dec = field.wcs_pix2world((column - middle) * step, (row - middle) * step, 0)
        wcs = _projection(float(ra), float(dec), chance.uniform(-0.5, 0.5))
        wcs.wcs.crpix = [(self.size + 1) / 2] * 2
        return wcs

    def _add_stars(self, counts: npt.NDArray[np.float64], wcs: WCS, seeing: float) -> None:
        core = seeing / (2 * math.sqrt(2 ** (1 / BETA) - 1))
        reach = math.ceil(WINGS * seeing)
        stars = self.stars()
        places = wcs.wcs_world2pix(stars["ra"], stars["dec"], 0)
        for x, y, mag in zip(*places, stars["mag"], strict=True):
            if not (-reach < x < self.size + reach and -reach < y < self.size + reach):
                continue
            rows = np.arange(max(0, round(y) - reach), min(self.size, round(y) + reach + 1))
            columns = np.arange(max(0, round(x) - reach), min(self.size, round(x) + reach + 1))
            squares = (rows[:, None] - y) ** 2 + (columns - x) ** 2
            profile = (BETA - 1) / (math.pi * core**2) * (1 + squares / core**2) ** -BETA
            counts[rows[:, None], columns] += 10 ** (0.4 * (ZERO_POINT - mag)) * profile


def _projection(ra: float, dec: float, tilt: float) -> WCS:
    """The sky in a plane that touches it at (ra, dec), which is pixel 0; tilted by some degrees."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [1, 1]
    cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    wcs.wcs.cd = SCALE / 3600 * np.array([[-cosine, sine], [sine, cosine]])
    wcs.wcs.radesys = "ICRS"
    return wcs


def write(sky: MockSky, folder: Path) -> None:
    """Write every tile as `tile-N.fits`, and `truth.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(sky.count):
        sky.draw(number).writeto(folder / f"tile-{number:03d}.fits", overwrite=True)
    np.savetxt(folder / "truth.csv", sky.stars(), "%.7f,%.7f,%.4f", header="ra,dec,mag", comments="")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python mock_sky.py FOLDER")
    write(MockSky(), Path(sys.argv[1]))
