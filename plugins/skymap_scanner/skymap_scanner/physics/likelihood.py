"""From an event's hits to the model that compiled code reads."""

from __future__ import annotations

import dataclasses

import numpy as np

from skymap_scanner.hits import Hits
from skymap_scanner.physics import layers, tables
from skymap_scanner.physics.model import Model
from skymap_scanner.physics.photons import LIGHT_NS_PER_METRE, NOISE_SPAN, TRACK_LIGHT


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What may be chosen."""

    cap: float
    """Photons of which the first is seen count up to this many; 1 is the one-photon likelihood (SPE)."""
    noise: float
    """Share of first pulses that the model does not explain."""
    layered: bool
    """Whether the ice differs with depth."""


def track_model(hits: Hits, settings: Settings) -> Model:
    """The model of an event that is taken for a track."""
    photons = np.clip(hits.charge.astype(np.float64), 1.0, settings.cap)
    scattering, absorption = layers.factors(hits.position[:, 2]) if settings.layered else (np.ones(len(photons)),) * 2
    speed = absorption / (LIGHT_NS_PER_METRE * TRACK_LIGHT.absorption)
    stretch = (1.0 / TRACK_LIGHT.decay + speed) / TRACK_LIGHT.rate
    middle = float(np.median(hits.time))
    return Model(
        table=tables.load("track"),
        nodes=tables.nodes("track"),
        position=np.ascontiguousarray(hits.position - hits.centre),
        time=hits.time - middle,
        others=photons - 1.0,
        level=np.log(photons * stretch),
        stretch=stretch,
        per_xi=scattering / TRACK_LIGHT.scattering,
        signal=1.0 - settings.noise,
        noise=settings.noise / NOISE_SPAN,
        centre=np.asarray(hits.centre, np.float64),
        middle=middle,
    )
