"""What the reconstructions of infinite tracks share."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np

from skymap_scanner.event import Alert
from skymap_scanner.physics import profile
from skymap_scanner.physics.model import Model
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex

SEARCHED_UP_TO = 64
"""nside; the seed of a finer pixel comes from so near that the steps from it lead to the best track."""


class TrackReco(Reco):
    """A track through the whole detector: for each direction the best offset and time."""

    def __init__(self, alert: Alert) -> None:
        self.model = self.model_of(alert)

    @staticmethod
    @abc.abstractmethod
    def model_of(alert: Alert) -> Model:
        """The likelihood of the event; `NoSignal` if there is nothing to reconstruct."""

    def fallback(self) -> Vertex:
        """The centre of the charge at the middle of the times."""
        x, y, z = self.model.centre.tolist()
        return Vertex(x=x, y=y, z=z, time=self.model.middle)

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """Minimise over offset and time, from the seeds and, for pixels far from those they came from, by searches."""
        centre = self.fallback()
        origin = np.array([centre.x, centre.y, centre.z, centre.time])
        seeds = [[seed for seed in pixel.seeds if seed != centre] for pixel in pixels]
        flat = [[seed.x, seed.y, seed.z, seed.time] for own in seeds for seed in own]
        found = profile.profile(
            self.model,
            np.array([[pixel.zenith, pixel.azimuth] for pixel in pixels]).reshape(-1, 2),
            np.array(flat, np.float64).reshape(-1, 4) - origin,
            np.cumsum([0, *map(len, seeds)]),
            np.array([_searches(pixel, own) for pixel, own in zip(pixels, seeds, strict=True)], np.int64),
        )
        found[:, 1:] += origin
        return [Answer(llh=llh, vertex=Vertex(x=x, y=y, z=z, time=time)) for llh, x, y, z, time in found.tolist()]


def _searches(pixel: Pixel, seeds: Sequence[Vertex]) -> int:
    if not seeds:
        return profile.ALL
    return profile.CENTRE if pixel.nside <= SEARCHED_UP_TO else profile.NONE
