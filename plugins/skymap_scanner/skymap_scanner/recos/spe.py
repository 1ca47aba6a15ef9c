"""`spe`: the first photon in each module, in ice that is the same everywhere; as IceCube's SPEFit2."""

from __future__ import annotations

from skymap_scanner.event import Alert
from skymap_scanner.hits import hits_of
from skymap_scanner.physics.likelihood import Settings, track_model
from skymap_scanner.physics.model import Model
from skymap_scanner.recos.track import TrackReco

SETTINGS = Settings(cap=1.0, noise=0.001, layered=False)
"""Those that reproduce the published -log L."""
