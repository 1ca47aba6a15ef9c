"""`mpe`: the first of several photons in each module, in layered ice; the default."""

from __future__ import annotations

from skymap_scanner.event import Alert
from skymap_scanner.hits import hits_of
from skymap_scanner.physics.likelihood import Settings, track_model
from skymap_scanner.physics.model import Model
from skymap_scanner.recos.track import TrackReco

SETTINGS = Settings(cap=50.0, noise=0.02, layered=True)
"""Chosen on real alerts, see `docs/physics.md`."""


class Mpe(TrackReco):
    """Multi-photo-electron likelihood; DeepCore's modules, denser and more sensitive, are left out."""

    name = "mpe"

    @staticmethod
    def model_of(alert: Alert) -> Model:
        """All cleaned pulses outside DeepCore."""
        return track_model(hits_of(alert), SETTINGS)
