"""A mock specimen: particles of three kinds in ice, whose places are known, as an electron microscope would show them.

`python specimen.py FOLDER` writes micrographs as MRC files, the truth as `truth.csv` and `templates.mrc` to find them with.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import mrc
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

PIXEL = 2.0
"""Ångström a pixel."""
DIAMETER = 180.0
"""Of the particles, in ångström."""
WINDOW = 2 * round(0.75 * DIAMETER / PIXEL)
"""Pixels along each side of a picture that holds all of a particle."""
SPACING = 230.0
"""Least distance of two particles, in ångström."""
CROWD = 0.35
"""How much of the ice is tried for particles; some of it is taken already."""
WAVELENGTH = 0.0197
"""Of electrons of 300 kV, in ångström."""
ABERRATION = 2.7e7
"""Spherical aberration of the lens, in ångström."""
AMPLITUDE = 0.1
"""Part of the contrast that is of amplitude, not of phase."""
DEFOCUS = (16_000.0, 20_000.0)
"""In ångström: the transfer's first zero lies at 18 to 20, beyond which lumps of the size below have hardly any signal."""
DECAY = 200.0
"""B factor of the envelope, in square ångström."""
NOISE = 0.5
"""Standard deviation in a pixel; particles reach about 1."""
TEMPLATE_BLUR = 12.0
"""Standard deviation, in ångström, of the Gaussian that blurs templates: they know outlines, not details."""

Floats = npt.NDArray[np.floating[Any]]
PARTICLE = np.dtype([("micrograph", "i4"), ("x", "f8"), ("y", "f8"), ("kind", "i4"), ("angle", "f8")])
_TURN = 2 * math.pi


def _ring(count: int, radius: float) -> list[tuple[float, float]]:
    return [(radius * math.cos(_TURN * n / count), radius * math.sin(_TURN * n / count)) for n in range(count)]


KINDS = (
    [*_ring(7, 66.0), (0.0, 0.0)],  # a ring of seven, with a plug
    [(x, y) for y in (-54.0, -18.0, 18.0, 54.0) for x in (-40.0, 0.0, 40.0) if (x, y) != (40.0, -54.0)],  # a barrel
    [(r * math.cos(a), r * math.sin(a)) for a in (0.0, 0.35 * _TURN, 0.6 * _TURN) for r in (12.0, 40.0, 68.0)],  # three arms
)
"""Where each kind of particle has its lumps, in ångström from its centre."""
LUMP = 9.0
"""Standard deviation of the density of a lump, in ångström."""


def density(kind: int, angle: float, pixel: float, side: int, centre: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """A particle as a picture of (side, side) pixels, turned by radians, its centre so many pixels beside the picture's."""
    cosine, sine = math.cos(angle), math.sin(angle)
    axis = (np.arange(side) - (side - 1) / 2) * pixel
    picture = np.zeros((side, side))
    for x, y in KINDS[kind]:
        columns = np.exp(-((axis - (x * cosine - y * sine) - centre[0] * pixel) ** 2) / (2 * LUMP**2))
        rows = np.exp(-((axis - (x * sine + y * cosine) - centre[1] * pixel) ** 2) / (2 * LUMP**2))
        picture += np.outer(rows, columns)
    return picture


def transfer(shape: tuple[int, int], pixel: float, defocus: float) -> Floats:
    """Contrast transfer function times envelope, for `numpy.fft.rfft2` of a picture of this shape; density comes out dark.

    Weak phase objects, underfocus positive: Rohou & Grigorieff, Journal of Structural Biology 192 (2015), equation 3.
    """
    squares = np.fft.fftfreq(shape[0], pixel)[:, None] ** 2 + np.fft.rfftfreq(shape[1], pixel) ** 2
    phase = math.pi * WAVELENGTH * squares * (defocus - WAVELENGTH**2 * ABERRATION * squares / 2)
    return -np.sin(phase + math.asin(AMPLITUDE)) * np.exp(-DECAY * squares / 4)


def imaged(picture: Floats, pixel: float, defocus: float) -> Floats:
    """What the microscope makes of a picture of density."""
    shape = (picture.shape[0], picture.shape[1])
    image: Floats = np.fft.irfft2(np.fft.rfft2(picture) * transfer(shape, pixel, defocus), shape)
    return image


class MockSpecimen(BaseModel, frozen=True):
    """A collection of micrographs. The same numbers make the same pixels."""

    micrographs: int = 5
    """How many."""
    size: int = 2560
    """Pixels along each side of one."""
    seed: int = 1
    """Of everything random."""

    def particles(self, number: int) -> npt.NDArray[Any]:
        """The truth about one micrograph: rows of `PARTICLE`."""
        chance = np.random.default_rng((self.seed, number, 0))
        margin = WINDOW / 2 + 1
        taken: list[tuple[float, float]] = []
        for x, y in chance.uniform(margin, self.size - margin, (round(CROWD * (self.size * PIXEL / SPACING) ** 2) * 2, 2)):
            if all(math.dist((x, y), other) >= SPACING / PIXEL for other in taken):
                taken.append((x, y))
        particles = np.zeros(len(taken), PARTICLE)
        particles["micrograph"] = number
        particles["x"], particles["y"] = np.array(taken).T
        particles["kind"] = chance.integers(len(KINDS), size=len(taken))
        particles["angle"] = chance.uniform(0, _TURN, len(taken))
        return particles

    def draw(self, number: int) -> npt.NDArray[np.float32]:
        """One micrograph with a defocus of its own, in ice that is thicker on one side, with crystals in it, and noise."""
        chance = np.random.default_rng((self.seed, number, 1))
        ice = self._ice(number, chance)
        picture = imaged(ice, PIXEL, chance.uniform(*DEFOCUS)).astype(np.float32)
        slope = chance.uniform(-1, 1, 2).astype(np.float32)
        axis = np.linspace(-0.5, 0.5, self.size, dtype=np.float32)
        picture += slope[0] * axis + slope[1] * axis[:, None]
        picture += NOISE * chance.standard_normal(picture.shape, np.float32)
        return picture

    def _ice(self, number: int, chance: np.random.Generator) -> Floats:
        """The density of particles and crystals."""
        picture = np.zeros((self.size, self.size), np.float32)
        for particle in self.particles(number):
            left, top = (math.floor(particle[axis]) - WINDOW // 2 + 1 for axis in ("x", "y"))
            middle = (WINDOW - 1) / 2
            beside = (particle["x"] - left - middle, particle["y"] - top - middle)
            stamp = density(particle["kind"], particle["angle"], PIXEL, WINDOW, beside)
            picture[top : top + WINDOW, left : left + WINDOW] += stamp
        axis = np.arange(self.size)
        for x, y in chance.uniform(0, self.size, (self.size // 640, 2)):
            picture += np.outer(_hump(axis - y), _hump(axis - x))
        return picture

    def file(self, number: int, folder: Path) -> Path:
        """One micrograph as an MRC file in this folder, drawn unless it is there already."""
        path = folder / f"mock-{self.seed}-{self.size}-{number:04d}.mrc"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=folder) as draft:
                Path(draft, path.name).write_bytes(mrc.encode(self.draw(number), PIXEL))
                os.replace(Path(draft, path.name), path)
        return path


def _hump(distances: Floats) -> Floats:
    """A section of a crystal of ice, as thick as several particles."""
    section: Floats = 2.4 * np.exp(-((distances * PIXEL / 90.0) ** 2))
    return section


def templates() -> npt.NDArray[np.float32]:
    """The kinds of particles, blurred, bright, at `PIXEL`."""
    from scipy.ndimage import gaussian_filter

    pictures = [gaussian_filter(density(kind, 0.0, PIXEL, WINDOW), TEMPLATE_BLUR / PIXEL) for kind in range(len(KINDS))]
    return np.array(pictures, np.float32)


def write(specimen: MockSpecimen, folder: Path) -> None:
    """Write every micrograph, `truth.csv` and `templates.mrc`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["micrograph,x,y,kind"]
    for number in range(specimen.micrographs):
        name = specimen.file(number, folder).name
        lines += [f"{name},{p['x']:.2f},{p['y']:.2f},{p['kind']}" for p in specimen.particles(number)]
    folder.joinpath("truth.csv").write_text("\n".join(lines) + "\n")
    folder.joinpath("templates.mrc").write_bytes(mrc.encode(templates(), PIXEL))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python specimen.py FOLDER")
    write(MockSpecimen(), Path(sys.argv[1]))
