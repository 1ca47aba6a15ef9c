"""The rounds by which classes come about, as pure functions: from references and sums to better references.

Every particle goes to the class it resembles most, and each class becomes the mean of its particles, again and again. The
first references are single particles, so that nothing comes out that was not in the micrographs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from films import ACROSS, SIDE
from particles import Array, Sums
from polar import best_fit
from scipy import ndimage

CANDIDATES = 40
"""Particles among which the first references are chosen: with more, starting would take long and become no better."""
SMOOTH = 1.0
"""Standard deviation in pixels of the blur that takes the noise off a reference."""


def first_references(samples: Array, count: int) -> Array:
    """So many of the pictures, the first, and then always the one that is least like all those before."""
    smooth = np.array([reference(sample) for sample in samples[:: -(-len(samples) // CANDIDATES)]])
    chosen = [0]
    likeness = np.full(len(smooth), -1.0)
    while len(chosen) < min(count, len(smooth)):
        likeness = np.maximum(likeness, best_fit(smooth, smooth[chosen[-1:]]).likeness)
        chosen.append(int(np.argmin(likeness)))
    return smooth[chosen]


def next_references(references: Array, sums: Sequence[Sums]) -> Array:
    """The mean of each class, made ready to be compared with; a class without particles stays what it was."""
    total, counts = totals(sums)
    return np.array([reference(mean) if n else old for old, mean, n in zip(references, total, counts, strict=True)])


def totals(sums: Sequence[Sums]) -> tuple[Array, list[int]]:
    """The mean of each class and the number of its particles; zeros for a class without any."""
    total = np.stack([each.sums for each in sums]).sum(axis=0, dtype=np.float64)
    kinds = np.concatenate([np.array(each.kinds, np.intp) for each in sums])
    counts = np.bincount(kinds, minlength=len(total))
    return (total / np.maximum(counts, 1)[:, None, None]).astype(np.float32), counts.tolist()


def reference(picture: Array) -> Array:
    """A picture without its finest noise and without its surroundings, of half precision, as events carry it."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    radius = np.hypot(axis, axis[:, None])
    window = np.clip(ACROSS / 2 + 3 - radius, 0, 1)
    smooth: Array = ndimage.gaussian_filter(picture, SMOOTH) * window
    return smooth.astype(np.float16).astype(np.float32)
