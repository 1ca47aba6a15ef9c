"""How far a scan is, in one line for the terminal."""

from __future__ import annotations

import math

import healpix  # type: ignore[import-untyped]

from skymap_scanner.scanning.rounds import Rounds


def status_of(rounds: Rounds) -> str:
    """Return pixels per level, and the best one so far with half its width as the error that it still has."""
    levels = [f"nside {nside}: {rounds.done.get(nside, 0)}/{planned}" for nside, planned in sorted(rounds.planned.items())]
    if rounds.minimum is not None:
        llh, nside, index = rounds.minimum
        theta, phi = healpix.pix2ang(nside, index)
        half = math.degrees(math.sqrt(math.pi / 3) / nside / 2)
        ra, dec = math.degrees(phi), 90 - math.degrees(theta)
        levels.append(f"best ra {ra:.2f} dec {dec:+.2f} (pixel +-{half:.2f}) -logL {llh:.1f}")
    return ", ".join(levels)
