"""Multi-order FITS maps as `ligo.skymap`, `mocpy` and `mhealpy` read them, and MOCs (IVOA MOC 2.0)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.cards import cards_of


def multiorder_map(skymap: SkyMap) -> bytes:
    """Return a FITS file with one row per cell: `UNIQ`, and `PROBDENSITY` per steradian."""
    cells = skymap.cells
    columns = {"UNIQ": cells.uniq, "PROBDENSITY": skymap.probability / cells.area}
    layout = [
        ("PIXTYPE", "HEALPIX", ""),
        ("ORDERING", "NUNIQ", "coding of the pixels"),
        ("COORDSYS", "C", "equatorial (ICRS)"),
        ("MOCORDER", int(cells.order.max()), "finest order"),
        ("INDXSCHM", "EXPLICIT", ""),
    ]
    return _table(columns, {"PROBDENSITY": "sr-1"}, layout + cards_of(skymap))


def moc(skymap: SkyMap, two_delta: float) -> bytes:
    """Return a FITS file with the cells below a level of 2 (llh - lowest llh), four full siblings put into one."""
    uniq = _merged(skymap.cells.uniq[skymap.cells.two_delta < two_delta])
    order = (int(uniq.max(initial=4)).bit_length() - 1) // 2 - 1
    layout = [
        ("PIXTYPE", "HEALPIX", ""),
        ("ORDERING", "NUNIQ", "coding of the pixels"),
        ("COORDSYS", "C", "equatorial (ICRS)"),
        ("MOCVERS", "2.0", "MOC version"),
        ("MOCDIM", "SPACE", "physical dimension"),
        ("MOCORD_S", order, "finest order"),
        ("MOCORDER", order, "finest order, by its name in MOC 1.1"),
    ]
    return _table({"UNIQ": uniq}, {}, layout)


def _merged(uniq: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put four full siblings into their parent, whose number is theirs without the last two bits, until none are left."""
    done = []
    for order in range((int(uniq.max(initial=4)).bit_length() - 1) // 2 - 1, 0, -1):
        finest = uniq >= 4 << 2 * order
        parents, count = np.unique(uniq[finest] >> 2, return_counts=True)
        full = parents[count == 4]
        done.append(uniq[finest][~np.isin(uniq[finest] >> 2, full)])
        uniq = np.concatenate([uniq[~finest], full])
    return np.sort(np.concatenate([uniq, *done]))


def _table(columns: dict[str, NDArray[Any]], units: dict[str, str], cards: list[tuple[str, Any, str]]) -> bytes:
    """Return a FITS file with one binary table."""
    from astropy.io import fits

    formats = {"i": "K", "f": "D"}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, formats[array.dtype.kind], unit=units.get(name), array=array) for name, array in columns.items()]
    )
    table.header.extend(fits.Card(*card) for card in cards)
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(buffer)
    return buffer.getvalue()
