"""The header cards of FITS files: which event, and what the scan found."""

from __future__ import annotations

import datetime
import math
from typing import Any

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.confidence import Level
from skymap_scanner.maps.sphere import SQUARE_DEGREES

MJD_EPOCH = datetime.datetime(1858, 11, 17, tzinfo=datetime.UTC)


def utc_of(mjd: float) -> str:
    """Return a modified Julian date as ISO 8601 to the microsecond, without zone."""
    return (MJD_EPOCH + datetime.timedelta(days=mjd)).replace(tzinfo=None).isoformat(timespec="microseconds")


def cards_of(skymap: SkyMap) -> list[tuple[str, Any, str]]:
    """Return (name, value, comment) of the cards that IceCube's files have; names over 8 letters need HIERARCH."""
    header, best = skymap.result.header, skymap.best
    cards: list[tuple[str, Any, str]] = [
        ("RUNID", header.run_id, "run"),
        ("EVENTID", header.event_id, "event in the run"),
        ("SENDER", "ewms skymap scanner", ""),
    ]
    if math.isfinite(header.mjd):
        cards += [
            ("DATE-OBS", utc_of(header.mjd), "UTC date of the observation"),
            ("MJD-OBS", header.mjd, "modified Julian date of the observation"),
        ]
    cards += [("I3TYPE", header.event_type, "event type"), ("RECO", skymap.result.reco, "reconstruction")]
    if best is not None:
        cards += [("RA", math.degrees(best.ra), "best fit, deg"), ("DEC", math.degrees(best.dec), "best fit, deg")]
        cards += [card for level in skymap.schemes[0].levels[:2] for card in _error_cards(skymap, best, level)]
    cards += [
        ("COMMENTS", f"Errors and contour areas: {skymap.schemes[0].note}", ""),
        ("NOTE", "Ignore pixels with NaN: they were not scanned or have no likelihood", ""),
    ]
    return cards


def _error_cards(skymap: SkyMap, best: BestFit, level: Level) -> list[tuple[str, Any, str]]:
    box, percent = skymap.error(best, level), level.key
    errors = {
        "RA_ERR_PLUS": box.ra_plus,
        "RA_ERR_MINUS": box.ra_minus,
        "DEC_ERR_PLUS": box.dec_plus,
        "DEC_ERR_MINUS": box.dec_minus,
    }
    return [
        *(
            (f"HIERARCH {name}_{percent}", math.degrees(value), f"{percent}% containment, deg")
            for name, value in errors.items()
        ),
        (f"HIERARCH CONTOUR_AREA_{percent}", skymap.contour(level).area * SQUARE_DEGREES, f"{percent}% contour, sq. deg"),
    ]
