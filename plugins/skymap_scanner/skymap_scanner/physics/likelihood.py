"""From an event's hits to the model that compiled code reads."""

from __future__ import annotations

import dataclasses

import numpy as np

from skymap_scanner.hits import Hits
from skymap_scanner.physics import layers, tables
from skymap_scanner.physics.model import Model
from skymap_scanner.physics.photons import LIGHT_NS_PER_METRE, NOISE_SPAN, SHOWER_LIGHT, TRACK_LIGHT, Pandel


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
    return _model("track", TRACK_LIGHT, hits, settings)


def shower_model(hits: Hits, settings: Settings) -> Model:
    """The model of an event that is taken for a shower."""
    return _model("shower", SHOWER_LIGHT, hits, settings)


def _model(name: str, light: Pandel, hits: Hits, settings: Settings) -> Model:
    scattering, absorption = layers.factors(hits.position[:, 2]) if settings.layered else (np.ones(len(hits)),) * 2
    photons = np.clip(hits.charge, 1.0, settings.cap)
    stretch = (1.0 / light.decay + absorption / (LIGHT_NS_PER_METRE * light.absorption)) / light.rate
    middle = float(np.median(hits.time))
    return Model(
        table=tables.load(name).reshape(-1),
        nodes=tables.nodes(name).reshape(-1),
        position=np.ascontiguousarray(hits.position - hits.centre),
        time=hits.time - middle,
        others=photons - 1.0,
        level=np.log(photons * stretch),
        stretch=stretch,
        per_xi=scattering / light.scattering,
        signal=1.0 - settings.noise,
        noise=settings.noise / NOISE_SPAN,
        centre=hits.centre,
        middle=middle,
    )
