"""What takes a second at the first pixel, done before there is one: libraries loaded, compiled code read from its cache."""

from __future__ import annotations

import math

import numpy as np

from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.outputs import product_files
from skymap_scanner.pulses import PULSE
from skymap_scanner.recos.base import Pixel
from skymap_scanner.recos.cascade import classify
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.result import ROW, ScanResult

_NANOSECONDS_PER_STRING = 400.0
_NANOSECONDS_PER_MODULE = 60.0


def warm() -> None:
    """Reconstruct some light on a few strings by the default method."""
    alert = _made_up()
    reco = Mpe(alert)
    directions = ((math.pi / 2, 0.0), (0.5, 1.0), (2.5, 4.0))
    seed = reco.fallback()
    reco.reconstruct(
        [
            Pixel(nside=1, index=number, zenith=zenith, azimuth=azimuth, seeds=(seed,))
            for number, (zenith, azimuth) in enumerate(directions)
        ]
    )
    classify(alert)


def warm_outputs() -> None:
    """Choose the first pixels of a scan, and write the files of one: much is only imported there."""
    from skymap_scanner.detector.coordinates import to_local

    to_local(np.zeros(1), np.zeros(1), 58_000.0)
    rows = np.zeros(12, dtype=ROW)
    rows["index"] = np.arange(12)
    rows["llh"] = np.arange(12.0)
    header = EventHeader(run_id=1, event_id=0, mjd=58_000.0, event_type="made up", is_real=False)
    product_files(ScanResult(header=header, reco=Mpe.name, levels={1: rows}, complete=True), plots=False)


def _made_up() -> Alert:
    pulses = np.array(
        [
            (
                string,
                module,
                10_000.0 + _NANOSECONDS_PER_STRING * place + _NANOSECONDS_PER_MODULE * abs(module - 30) + 30.0 * again,
                2.0 + again,
                1.0,
                1,
            )
            for place, string in enumerate((20, 21, 29, 30, 39, 40))
            for module in range(24, 37)
            for again in range(3)
        ],
        dtype=PULSE,
    )
    header = EventHeader(run_id=0, event_id=0, mjd=58_000.0, event_type="made up", is_real=False)
    return Alert(header=header, pulses=pulses)
