"""From what a user writes to a policy."""

from __future__ import annotations

import difflib
import math

from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert
from skymap_scanner.scanning.adaptive import Adaptive
from skymap_scanner.scanning.progression import Progression
from skymap_scanner.scanning.refining import Policy, Refining

POLICIES = ("progression", "adaptive")


def policy_of(name: str, progression: Progression, pointed: str, alert: Alert) -> Policy:
    """Return the policy of that name; `ScanError` if there is none, or if what to point at is not understood.

    Parameters
    ----------
    pointed
        `RA,DEC` in degrees, the name of a published fit of the event, or nothing for the whole sky.
    """
    if name not in POLICIES:
        near = difflib.get_close_matches(name, POLICIES, n=1)
        raise ScanError(
            f"policy '{name}' is unknown; " + (f"did you mean '{near[0]}'?" if near else f"use {' or '.join(POLICIES)}")
        )
    direction = _direction(pointed, alert) if pointed else None
    return Refining(progression, direction) if name == "progression" else Adaptive(progression, direction)


def _direction(pointed: str, alert: Alert) -> tuple[float, float]:
    numbers = pointed.split(",")
    if len(numbers) == 2:
        try:
            ra, dec = (float(number) for number in numbers)
        except ValueError as error:
            raise ScanError(f"pointed: '{pointed}' is not RA,DEC in degrees, as in 138.6,0.3") from error
        if not (0 <= ra <= 360 and -90 <= dec <= 90):
            raise ScanError(f"pointed: '{pointed}' is not on the sky; ra is 0 to 360 and dec -90 to 90 degrees")
        return math.radians(ra), math.radians(dec)
    for fit in alert.fits:
        if fit.name.casefold() == pointed.casefold():
            from skymap_scanner.detector.coordinates import to_equatorial

            right_ascension, declination = to_equatorial(fit.zenith, fit.azimuth, alert.header.mjd)
            return float(right_ascension), float(declination)
    names = ", ".join(fit.name for fit in alert.fits) or "none"
    raise ScanError(f"pointed: the event has no fit '{pointed}'; write RA,DEC in degrees or one of its fits: {names}")
