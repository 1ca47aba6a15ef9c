"""A GCN notice by NASA's schema `gcn/notices/icecube/single_neutrino_alerts` 7.2, as a draft for whoever may send it."""

from __future__ import annotations

import base64
import math
from typing import Any

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.best import BestFit
from skymap_scanner.outputs.cards import utc_of

SCHEMA = "https://gcn.nasa.gov/schema/v7.2.3/gcn/notices/icecube/single_neutrino_alerts.schema.json"

PIPELINES = {"gold": "Gold Track Alert", "bronze": "Bronze Track Alert"}
"""Names of IceCube's selections by event type; other types have none in the schema."""


def notice(skymap: SkyMap, best: BestFit, healpix_file: bytes) -> dict[str, Any]:
    """Return the notice of a complete scan with a direction, ready for JSON.

    The error is the radius of a circle with the area of the 90 % contour, without systematic errors. Neither time of
    creation nor energy, significance or name are known to a scan; the sender adds them.

    Parameters
    ----------
    skymap
        The map.
    best
        Its best fit.
    healpix_file
        The multi-order FITS map, embedded.
    """
    header = skymap.result.header
    document: dict[str, Any] = {
        "$schema": SCHEMA,
        "mission": "IceCube",
        "instrument": "IC86",
        "messenger": "Neutrino",
        "id": [f"{header.run_id}_{header.event_id}"],
        "alert_topology": "Track",
        "number_of_events": 1,
        "ra": round(math.degrees(best.ra), 4),
        "dec": round(math.degrees(best.dec), 4),
        "ra_dec_error": round(math.degrees(skymap.error(best, skymap.schemes[0].levels[1]).radius), 4),
        "containment_probability": 0.9,
        "systematic_included": False,
    }
    if pipeline := PIPELINES.get(header.event_type.lower()):
        document["pipeline"] = pipeline
    if math.isfinite(header.mjd):
        document["trigger_time"] = f"{utc_of(header.mjd)}Z"
    if not header.is_real:
        document["alert_tense"] = "test"
    return document | {"healpix_file": base64.b64encode(healpix_file).decode("ascii")}
