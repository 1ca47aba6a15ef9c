"""The catalogue as files: CSV for people and spreadsheets, FITS with units for the tools of astronomers."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from detections import Table

UNITS = {"ra": "deg", "dec": "deg", "mag": "mag", "mag_error": "mag", "x": "pix", "y": "pix"}
DIGITS = {"ra": 7, "dec": 7, "mag": 4, "mag_error": 4, "x": 3, "y": 3}
"""After the point, beyond which there is only noise: a ten-millionth of a degree is 0.4 milliarcseconds."""


def files(entries: Table, names: Mapping[int, str]) -> dict[str, str | bytes]:
    """`catalogue.csv` and `catalogue.fits`; `names` are those of the tiles by number."""
    from astropy.table import Table as AstropyTable  # takes a second, which the start of a run need not wait for

    table = AstropyTable(
        {name: np.round(entries[name], digits) for name, digits in DIGITS.items()}
        | {name: entries[name] for name in ("flags", "seen")}
        | {"tile": np.array([names[number] for number in entries["tile"]], np.str_)},
        units=UNITS,
    )
    text, binary = io.StringIO(), io.BytesIO()
    table.write(text, format="ascii.csv")
    table.write(binary, format="fits")
    return {"catalogue.csv": text.getvalue(), "catalogue.fits": binary.getvalue()}
