"""Flat FITS maps: every pixel of the finest nside, RING order, gzipped, as icecube-skyreader writes them."""

from __future__ import annotations

import io
import zlib

import numpy as np

from skymap_scanner.maps import SkyMap, healpixels
from skymap_scanner.outputs.cards import cards_of

CHUNK = 1 << 20
"""Pixels put together at a time, so that memory does not grow with nside."""

BLOCK = 2880
"""FITS files consist of blocks of this many bytes."""


def flat_maps(skymap: SkyMap, nside: int) -> tuple[bytes, bytes]:
    """Return two gzipped FITS files: 2 (llh - lowest llh), NaN where nothing is known, and the probability per pixel.

    Parameters
    ----------
    skymap
        The map.
    nside
        Of the files, not below the finest of the map. At 4096 each has 201 million pixels and takes half a minute.
    """
    order = healpixels.order_of(nside)
    columns = {
        "2DLLH": skymap.cells.two_delta,
        "PROB": skymap.probability / skymap.cells.area * healpixels.pixel_area(order),
    }
    # gzip without a time, so that the same map is the same file. The maps are mostly repetition, and 1 is fast.
    packers = {name: zlib.compressobj(level=1, wbits=31) for name in columns}
    packed = {name: [packer.compress(_header(skymap, nside, name))] for name, packer in packers.items()}
    for first in range(0, 12 * nside**2, CHUNK):
        ring = np.arange(first, min(first + CHUNK, 12 * nside**2), dtype=np.int64)
        cell = skymap.cells.holding(order, healpixels.ring_to_nested(nside, ring))
        for name, values in columns.items():
            packed[name].append(packers[name].compress(values.astype(">f8")[cell].tobytes()))
    for name, packer in packers.items():
        packed[name] += [packer.compress(b"\0" * (-12 * nside**2 * 8 % BLOCK)), packer.flush()]
    return b"".join(packed["2DLLH"]), b"".join(packed["PROB"])


def _header(skymap: SkyMap, nside: int, column: str) -> bytes:
    """Return everything before the data."""
    from astropy.io import fits

    unit = "pix-1" if column == "PROB" else None
    table = fits.BinTableHDU.from_columns([fits.Column(column, "D", unit=unit, array=np.zeros(1))])
    layout = [
        ("PIXTYPE", "HEALPIX", "HEALPIX pixelisation"),
        ("ORDERING", "RING", "pixel ordering scheme"),
        ("COORDSYS", "C", "equatorial (ICRS)"),
        ("NSIDE", nside, "resolution parameter"),
        ("FIRSTPIX", 0, "first pixel (0 based)"),
        ("LASTPIX", 12 * nside**2 - 1, "last pixel (0 based)"),
        ("INDXSCHM", "IMPLICIT", "indexing: IMPLICIT or EXPLICIT"),
        ("OBJECT", "FULLSKY", "sky coverage, either FULLSKY or PARTIAL"),
    ]
    table.header.extend(fits.Card(*card) for card in layout + cards_of(skymap))
    table.header["NAXIS2"] = 12 * nside**2
    buffer = io.BytesIO()
    fits.PrimaryHDU().writeto(buffer)
    header: bytes = table.header.tostring().encode("ascii")
    return buffer.getvalue() + header
