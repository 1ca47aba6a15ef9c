"""Pictures of events in the detector."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from skymap_scanner.detector.view import event_view
from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert, EventHeader, Truth
from skymap_scanner.pulses import PULSE

ROWS = [(20, om, 1000.0 + 10 * om, 2.0 * om, 8.0, 7) for om in range(10, 50)]
ALERT = Alert(header=EventHeader(run_id=1, event_id=2, mjd=60000.0), pulses=np.array(ROWS, PULSE))
TRUTH = Truth(kind="track", zenith=0.5, azimuth=1.0, x=0.0, y=0.0, z=0.0, time=0.0, energy=1e5)
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml"}


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_event_is_the_same_file(kind: str) -> None:
    first = event_view(ALERT, kind)
    assert first.startswith(MAGIC[kind])
    assert event_view(ALERT, kind) == first


def test_truth_charge_and_time_are_drawn() -> None:
    later = ALERT.pulses.copy()
    later["time"][::2] += 500
    brighter = ALERT.pulses.copy()
    brighter["charge"][0] *= 30
    changed = [ALERT, dataclasses.replace(ALERT, truth=TRUTH)]
    changed += [dataclasses.replace(ALERT, pulses=pulses) for pulses in (later, brighter)]
    pictures = [event_view(alert) for alert in changed]
    assert all(one != other for one, other in pairwise(pictures))


def test_pulses_of_unknown_modules_alone() -> None:
    pulses = np.array([(86, 61, 0.0, 1.0, 1.0, 7)], PULSE)
    with pytest.raises(NoSignal, match="no working module saw anything, so there is nothing to draw"):
        event_view(dataclasses.replace(ALERT, pulses=pulses))


def test_one_dim_pulse() -> None:
    pulses = np.array([(20, 30, 5.0, 0.0, 1.0, 7)], PULSE)
    assert event_view(dataclasses.replace(ALERT, pulses=pulses)).startswith(MAGIC["png"])


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """Pilots read events, so the reader must start fast."""
    code = (
        "import sys, skymap_scanner.reading, skymap_scanner.hits, skymap_scanner.detector.view, "
        "skymap_scanner.detector.coordinates, skymap_scanner.detector.ice, skymap_scanner.cli.inspect; "
        "print({name.split('.')[0] for name in sys.modules} & "
        "{'matplotlib', 'astropy', 'scipy', 'healpy', 'healpix', 'numba', 'nats', 'pydantic'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
