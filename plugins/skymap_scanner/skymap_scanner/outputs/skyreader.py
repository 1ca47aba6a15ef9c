"""The result formats of icecube-skyreader 1.6: JSON and NPZ, written in version 1, read in versions 0 and 1."""

from __future__ import annotations

import dataclasses
import io
import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.errors import EventError
from skymap_scanner.event import EventHeader
from skymap_scanner.maps.healpixels import mirror, order_of
from skymap_scanner.result import ROW, ScanResult

VERSION = 1
"""Of the columns that are written; version 0 had only the first four."""

VALUES = ("llh", "E_in", "E_tot", "X", "Y", "Z", "T")
"""The columns beside the index."""

NAN = "<skyreader.nan>"
"""What stands for NaN, which JSON has not."""


DAMAGE = (
    *(
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        RecursionError,
        RuntimeError,
        TypeError,
        ValueError,
    ),
    *(OSError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What Python, its zipfile and numpy raise on bytes that are not what they look like."""


def to_json(result: ScanResult) -> str:
    """Return the result as JSON, one pixel a line."""
    levels = []
    for nside, rows in sorted(result.levels.items()):
        data = ",\n".join(json.dumps([NAN if value != value else value for value in row]) for row in rows.tolist())  # noqa: PLR0124  NaN
        head = f'"columns": {json.dumps(ROW.names)}, "metadata": {json.dumps(_without_nan(_metadata(result, nside)))}'
        levels.append(f'"nside-{nside}": {{{head}, "data": [\n{data}\n]}}')
    return "{" + ",\n".join(levels) + "}\n"


def to_npz(result: ScanResult) -> bytes:
    """Return the result as NPZ: a structured array per nside, and `header` with a row of metadata per nside."""
    nsides = sorted(result.levels)
    metadata = [_metadata(result, nside) for nside in nsides]
    fields = [(key, _dtype([entry[key] for entry in metadata])) for key in (metadata[0] if metadata else {})]
    header = np.array([tuple(entry.values()) for entry in metadata], dtype=fields)
    buffer = io.BytesIO()
    arrays = {f"nside-{nside}": result.levels[nside] for nside in nsides}
    np.savez_compressed(buffer, allow_pickle=False, header=header, **arrays)
    return buffer.getvalue()


def read_result(path: Path) -> ScanResult:
    """Read a result from JSON or NPZ, columns of version 0 or 1.

    Old files, from before version 1, may be mirrored; nothing inside tells. See `mirrored`.

    Raises
    ------
    EventError
        If the file is no such result.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}; give the result of a scan (.json or .npz)"
        raise EventError(message) from None
    return parse_result(content, str(path))


def parse_result(content: bytes, name: str) -> ScanResult:
    """Read a result from the content of a file; `name` is what messages call it. See `read_result`."""
    try:
        return _result(_from_npz(content) if content.startswith(b"PK") else _from_json(content))
    except DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"{name}: not a scan result of icecube-skyreader: {reason}; name a scan's .json or .npz"
        raise EventError(message) from error


def mirrored(result: ScanResult) -> ScanResult:
    """Return the scan with declination and minus declination exchanged, which sets right what old files have wrong."""
    levels = {}
    for nside, rows in result.levels.items():
        flipped = rows.copy()
        flipped["index"] = mirror(nside, rows["index"])
        levels[nside] = np.sort(flipped, order="index")
    return dataclasses.replace(result, levels=levels)


def _metadata(result: ScanResult, nside: int) -> dict[str, Any]:
    header = result.header
    return {
        "nside": nside,
        "complete": result.complete,
        "run_id": header.run_id,
        "event_id": header.event_id,
        "event_type": header.event_type,
        "mjd": header.mjd,
        "is_real_event": header.is_real,
        "version": VERSION,
        "reco": result.reco,
        "gives_direction": result.gives_direction,
    }


def _without_nan(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: NAN if value != value else value for key, value in metadata.items()}  # noqa: PLR0124  NaN


def _dtype(values: list[Any]) -> str:
    """Return the dtype of one column of metadata."""
    if isinstance(values[0], str):
        return f"U{max(1, *map(len, values))}"
    return {bool: "?", int: "i8", float: "f8"}[type(values[0])]


Levels = Mapping[int, tuple[Mapping[str, Any], NDArray[np.void]]]
"""Metadata and rows by nside."""


def _from_json(content: bytes) -> Levels:
    document = json.loads(content)
    if not isinstance(document, dict) or not all(key.startswith("nside-") for key in document):
        message = "it has something else than levels `nside-N`"
        raise ValueError(message)
    levels = {}
    for key, level in document.items():
        columns = level["columns"]
        if columns[0] != "index":
            message = f"{key} has no column `index`"
            raise ValueError(message)
        rows = _empty(len(level["data"]))
        values = [[np.nan if value in {NAN, None} else value for value in row] for row in level["data"]]
        for name, column in zip(columns, zip(*values, strict=True), strict=True) if values else ():
            rows[name] = column
        metadata = {key: np.nan if value == NAN else value for key, value in level["metadata"].items()}
        levels[_nside(key)] = (metadata, rows)
    return levels


def _from_npz(content: bytes) -> Levels:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        header = archive["header"] if "header" in archive else np.empty(0, dtype=[("nside", "i8")])
        names = header.dtype.names or ()
        metadata = {int(row["nside"]): dict(zip(names, row.tolist(), strict=True)) for row in header}
        levels = {}
        for key in archive.files:
            if key != "header":
                stored = archive[key]
                rows = _empty(len(stored))
                for name in stored.dtype.names:
                    rows[name] = stored[name]
                levels[_nside(key)] = (metadata.get(_nside(key), {}), rows)
    return levels


def _empty(count: int) -> NDArray[np.void]:
    """Return rows without values."""
    rows = np.zeros(count, dtype=ROW)
    for name in VALUES:
        rows[name] = np.nan
    return rows


def _nside(key: str) -> int:
    nside = int(key.removeprefix("nside-"))
    order_of(nside)
    return nside


def _result(levels: Levels) -> ScanResult:
    for nside, (_, rows) in levels.items():
        rows.sort(order="index")
        index = rows["index"]
        if len(index) and (index[0] < 0 or index[-1] >= 12 * nside**2 or (np.diff(index) == 0).any()):
            message = f"nside-{nside} has a pixel twice or one that does not exist"
            raise ValueError(message)
    if not levels:
        message = "no nside in it"
        raise ValueError(message)
    about = next(iter(levels.values()))[0]
    header = EventHeader(
        run_id=int(about.get("run_id", 0)),
        event_id=int(about.get("event_id", 0)),
        mjd=float(about.get("mjd", np.nan)),
        event_type=str(about.get("event_type", "")),
        is_real=bool(about.get("is_real_event", False)),
    )
    return ScanResult(
        header=header,
        reco=str(about.get("reco", "")),
        levels={nside: rows for nside, (_, rows) in sorted(levels.items())},
        complete=all(bool(metadata.get("complete", True)) for metadata, _ in levels.values()),
        gives_direction=bool(about.get("gives_direction", True)),
    )
