"""Alerts as IceCube's real-time system sends them (2016 to 2024).

A message is a dict; `value.data` is a list of frames (until 2017) or a dict with `frames` and the published `reco`.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np

from skymap_scanner.errors import EventError, NoSignal
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import Pulses, in_ice
from skymap_scanner.reading import fits
from skymap_scanner.reading.event_type import ALERT_MESSAGE, event_type
from skymap_scanner.reading.header import Header
from skymap_scanner.reading.limits import MAX_FITS
from skymap_scanner.reading.packet import Packet

_PULSES: Final = ("SplitInIcePulses", "SplitUncleanedInIcePulses", "UncleanedInIcePulses", "InIceDSTPulses", "I3SuperDST")
"""Series of pulses; the first that an event has is taken."""
_OLD_PULSES: Final = ("SplitUncleanedInIcePulses", *_PULSES)
"""The same for events of older formats."""
_OLD_FORMATS: Final = ("", "2021a")
"""Formats before the series was renamed; the oldest have no name."""
_REAL_RUNS: Final = range(100_000, 1_000_000)
"""Numbers of real runs; simulation has others."""


def alert_of(message: Any) -> Alert:
    """Make an alert of a decoded message.

    Raises
    ------
    EventError
        If the message is not as described above, a frame is damaged, or header or pulses are missing.
    """
    value = message.get("value") if isinstance(message, dict) else None
    data = value.get("data") if isinstance(value, dict) else None
    packed = data.get("frames") if isinstance(data, dict) else data
    if not isinstance(value, dict) or not isinstance(packed, list):
        text = "it is no i3live alert: value.data with its frames is missing"
        raise EventError(text)
    packet = Packet.of(packed)
    header = packet.get("I3EventHeader") or packet.get("QI3EventHeader")
    if not isinstance(header, Header):
        text = "the event has no I3EventHeader"
        raise EventError(text)
    short = packet.get(ALERT_MESSAGE)
    known = tuple(fits.of_particles(packet))
    published = fits.of_message(data.get("reco") if isinstance(data, dict) else None, known)
    old = value.get("version", "") in _OLD_FORMATS
    return Alert(
        header=EventHeader(
            run_id=header.run_id,
            event_id=header.event_id,
            mjd=header.mjd,
            event_type=event_type(short if isinstance(short, str) else None, packet.names),
            is_real=header.run_id in _REAL_RUNS,
        ),
        pulses=_pulses(packet, _OLD_PULSES if old else _PULSES),
        fits=(*known, *itertools.islice(published, MAX_FITS)),
    )


def _pulses(packet: Packet, series: tuple[str, ...]) -> Pulses:
    name = next((name for name in series if name in packet.names), None)
    if name is None:
        text = f"the event has no pulses ({', '.join(_PULSES)} are all missing)"
        raise NoSignal(text)
    pulses = _usable(packet.pulses(name).pulses)
    if not len(pulses):
        text = f"the event has no pulses in the ice ({name} is empty)"
        raise NoSignal(text)
    return pulses


def _usable(pulses: Pulses) -> Pulses:
    """In the ice, with a finite time and a charge: what IceTray keeps, too, when it compresses pulses."""
    pulses = pulses[in_ice(pulses) & np.isfinite(pulses["time"]) & np.isfinite(pulses["charge"])]
    pulses["charge"] = np.maximum(pulses["charge"], 0.0)
    pulses["width"] = np.maximum(np.nan_to_num(pulses["width"], posinf=0.0), 0.0)
    return pulses[np.lexsort((pulses["time"], pulses["om"], pulses["string"]))]
