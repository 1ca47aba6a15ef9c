"""Compares picks and classes with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import specimen
from classification import reference
from films import ACROSS, SIDE
from particles import Array, Pick
from polar import best_fit
from scipy.spatial import cKDTree
from specimen import PARTICLE

NEAR = 0.25
"""A pick is right if it is so near to a particle's centre, in diameters."""

Particles = npt.NDArray[Any]
"""Structured, with fields `x`, `y` in pixels of the file and `kind`."""


class Found(NamedTuple):
    """What came of one micrograph."""

    picks: Sequence[Pick]
    """What was taken for particles."""
    kinds: Sequence[int]
    """Class of each; empty if they could not be classified."""
    particles: Particles
    """The truth."""
    diameter: float
    """Of a particle, in pixels of the file."""


def read_truth(path: str) -> dict[str, Particles]:
    """The particles of each micrograph by its file name, from a CSV file; `ValueError` if it is not one."""
    with open(path, encoding="utf-8") as stream:
        names = stream.readline().strip().split(",")
        absent = {"micrograph", "x", "y", "kind"} - set(names)
        if absent:
            raise ValueError(
                f"truth {path} has no column {min(absent)!r}; its first line must name micrograph, x, y and kind"
            )
        rows = [dict(zip(names, line.strip().split(","), strict=True)) for line in stream if line.strip()]
    particles: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        particles.setdefault(row["micrograph"], []).append((0, float(row["x"]), float(row["y"]), int(row["kind"]), 0.0))
    return {name: np.array(values, PARTICLE) for name, values in particles.items()}


def assess(found: Iterable[Found]) -> dict[str, float | int | None]:
    """Precision and recall of the picks, and `purity` of the classes: how many particles are with the most of their kind."""
    picks = particles = right = 0
    members: dict[int, list[int]] = {}
    for picked, kinds, truth, diameter in found:
        pick, particle = _matches(picked, truth, NEAR * diameter)
        picks, particles, right = picks + len(picked), particles + len(truth), right + len(pick)
        if kinds:
            for one, other in zip(pick, particle, strict=True):
                members.setdefault(kinds[one], []).append(int(truth["kind"][other]))
    classified = sum(len(kinds) for kinds in members.values())
    with_most = sum(int(np.bincount(kinds).max()) for kinds in members.values())
    return {
        "particles": particles,
        "precision": _part(right, picks),
        "recall": _part(right, particles),
        "purity": _part(with_most, classified),
    }


def likeness_to_truth(averages: Array) -> list[float]:
    """For each kind of particle of the mock specimen, its correlation with the class average that resembles it most."""
    pixel = specimen.DIAMETER / ACROSS
    focus = sum(specimen.DEFOCUS) / 2
    views = [-specimen.imaged(specimen.density(kind, 0.0, pixel, SIDE), pixel, focus) for kind in range(len(specimen.KINDS))]
    truth = np.array([reference(view.astype(np.float32)) for view in views])
    candidates = np.array([reference(average) for average in averages])
    return [round(float(best_fit(candidates, view[None]).likeness.max()), 4) for view in truth]


def _matches(picks: Sequence[Pick], truth: Particles, radius: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of picks and of particles that are each other's nearest, and near enough."""
    if not picks or not len(truth):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    places = np.array([(pick.x, pick.y) for pick in picks])
    centres = np.stack([truth["x"], truth["y"]], axis=1)
    apart, particle = cKDTree(centres).query(places)
    nearest = cKDTree(places).query(centres)[1]
    pick = np.flatnonzero((apart <= radius) & (nearest[particle] == np.arange(len(places))))
    return pick, particle[pick]


def _part(some: int, whole: int) -> float | None:
    return round(some / whole, 4) if whole else None
