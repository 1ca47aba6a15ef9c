"""`spe`: the first photon in each module, in ice that is the same everywhere; as IceCube's SPEFit2."""

from __future__ import annotations

from skymap_scanner.event import Alert
from skymap_scanner.hits import Hits, hits_of
from skymap_scanner.physics.likelihood import Settings, track_model
from skymap_scanner.physics.model import Model
from skymap_scanner.recos.track import TrackReco

SETTINGS = Settings(cap=1.0, noise=0.001, layered=False)
"""Those that give the published -log L, see `docs/physics.md`."""


class Spe(TrackReco):
    """Single-photo-electron likelihood; better than `mpe` where a huge shower starts a track inside the detector."""

    name = "spe"

    @staticmethod
    def model_of(alert: Alert) -> Model:
        """The pulses SPEFit2 has, DeepCore's among them."""
        return track_model(pulses_of_spefit(alert), SETTINGS)


def pulses_of_spefit(alert: Alert) -> Hits:
    """Cleaned pulses, of which the high-energy starting-event filter (HESE) takes only those in hard local coincidence.

    So say the degrees of freedom of its fits; fits of the other streams have all cleaned pulses.
    """
    return hits_of(alert, hlc_only=any(fit.name == "HESE_SPEFit2" for fit in alert.fits), deepcore=True)
