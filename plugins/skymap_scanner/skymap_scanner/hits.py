"""From pulses to hits: noise is cleaned away, and each module's first photon and charge are left."""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.detector.geometry import FIRST_DEEPCORE_STRING, modules
from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert
from skymap_scanner.pulses import HLC, Pulses, module_keys

_WINDOW: Final = (0.10, 0.95)
"""Quantiles of the charge in time order that the event lies between, as IceCube's millipede_wilks has it."""
_WINDOW_MARGIN: Final = 1000.0
"""ns before and after."""
_RADIUS: Final = 150.0
"""m, of the neighbourhood in which a pulse needs company."""
_RADIUS_TIME: Final = 1000.0
"""ns, the same in time."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Hits:
    """One row per module that saw light, sorted by string and om."""

    string: NDArray[np.int16]
    """(n,)"""
    om: NDArray[np.int16]
    """(n,)"""
    position: NDArray[np.float64]
    """(n, 3) metres."""
    time: NDArray[np.float64]
    """(n,) ns, of the first pulse."""
    charge: NDArray[np.float64]
    """(n,) photoelectrons, of all pulses together."""

    def __len__(self) -> int:
        return len(self.time)

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,) metres, the mean position weighted by charge."""
        return np.average(self.position, axis=0, weights=self.charge)


def hits_of(alert: Alert, *, hlc_only: bool = False, deepcore: bool = False) -> Hits:
    """Clean an event's pulses and put them together by module.

    Parameters
    ----------
    alert : the event.
    hlc_only : keep only pulses in hard local coincidence.
    deepcore : keep the modules of DeepCore's own strings.

    Raises
    ------
    NoSignal
        If nothing is left.
    """
    pulses = cleaned(alert.pulses, hlc_only=hlc_only, deepcore=deepcore)
    if not len(pulses):
        message = f"run {alert.header.run_id} event {alert.header.event_id}: no pulses are left after noise cleaning"
        raise NoSignal(message)
    _, first, module = np.unique(module_keys(pulses), return_index=True, return_inverse=True)
    string, om = pulses["string"][first], pulses["om"][first]
    return Hits(
        string=string,
        om=om,
        position=modules().positions_of(string, om),
        time=pulses["time"][first],
        charge=np.bincount(module, pulses["charge"]).astype(np.float64),
    )


def cleaned(pulses: Pulses, *, hlc_only: bool = False, deepcore: bool = False) -> Pulses:
    """Pulses of the event itself, without those of noise.

    Kept are pulses of working modules in the time window that holds most of the charge, if another module within 150 m
    saw light within 1 us.

    Parameters
    ----------
    pulses : (n,) sorted by string, om and time.
    hlc_only : keep only pulses in hard local coincidence.
    deepcore : keep the modules of DeepCore's own strings.

    Returns
    -------
    Those that are kept, in the same order; perhaps none.
    """
    keep = modules().rows_of(pulses["string"], pulses["om"]) >= 0
    if not deepcore:
        keep &= pulses["string"] < FIRST_DEEPCORE_STRING
    if hlc_only:
        keep &= pulses["flags"] & HLC > 0
    pulses = pulses[keep]
    pulses = pulses[_in_window(pulses)]
    return pulses[~_isolated(pulses)]


def _in_window(pulses: Pulses) -> NDArray[np.bool_]:
    order = np.argsort(pulses["time"], kind="stable")
    time, charge = pulses["time"][order], np.cumsum(pulses["charge"][order], dtype=np.float64)
    if not len(pulses) or charge[-1] <= 0:
        return np.zeros(len(pulses), np.bool_)
    first, last = time[np.searchsorted(charge, np.array(_WINDOW) * charge[-1])]
    inside: NDArray[np.bool_] = (pulses["time"] >= first - _WINDOW_MARGIN) & (pulses["time"] <= last + _WINDOW_MARGIN)
    return inside


def _isolated(pulses: Pulses) -> NDArray[np.bool_]:
    """Whether no other module nearby has a pulse at nearly the same time.

    Pulses in time order are compared with their neighbours at distance 1, 2, ...; those that have found company drop
    out, so that few are left after few steps.
    """
    order = np.argsort(pulses["time"], kind="stable")
    time, string, om = (pulses[field][order] for field in ("time", "string", "om"))
    position = modules().positions_of(string, om)
    alone = np.ones(len(pulses), np.bool_)
    for lag in range(1, len(pulses)):
        early = np.flatnonzero(alone[:-lag] | alone[lag:])
        early = early[time[early + lag] - time[early] <= _RADIUS_TIME]
        if not len(early):
            break
        late = early + lag
        distance2 = np.sum((position[late] - position[early]) ** 2, axis=1)
        company = (distance2 <= _RADIUS**2) & (distance2 > 0)
        alone[early[company]] = alone[late[company]] = False
    isolated = np.empty_like(alone)
    isolated[order] = alone
    return isolated
