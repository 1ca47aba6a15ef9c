"""The plugin's own format of events, JSON as `docs/formats.md` describes it.

The same alert always gives the same bytes, and reading them gives the same alert.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from skymap_scanner.errors import EventError, NoSignal
from skymap_scanner.event import Alert, EventHeader, PublishedFit, Truth
from skymap_scanner.pulses import MODULES_PER_STRING, PULSE, STRINGS, Pulses
from skymap_scanner.reading.limits import MAX_NAME, MAX_PULSES

FORMAT: Final = "skymap-scanner-event"
"""What the field `format` says."""
VERSION: Final = 1
"""Of the format."""

_LARGEST_FLOAT32: Final = 3.4e38

_Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
_Zenith = Annotated[float, msgspec.Meta(ge=0.0, le=math.pi)]
_Azimuth = Annotated[float, msgspec.Meta(ge=0.0, le=math.tau)]
_Positive = Annotated[float, msgspec.Meta(ge=0.0, le=_LARGEST_FLOAT32)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Mjd = Annotated[float, msgspec.Meta(ge=0.0, le=200_000.0)]


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    run_id: _Count
    event_id: _Count
    mjd: _Mjd
    event_type: _Name
    is_real: bool


class _Pulse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    string: Annotated[int, msgspec.Meta(ge=1, le=STRINGS)]
    om: Annotated[int, msgspec.Meta(ge=1, le=MODULES_PER_STRING)]
    time: float
    charge: _Positive
    width: _Positive
    flags: Annotated[int, msgspec.Meta(ge=0, le=255)]


class _Fit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: _Name
    zenith: _Zenith
    azimuth: _Azimuth
    x: float | None = None
    y: float | None = None
    z: float | None = None
    time: float | None = None
    energy: float | None = None
    llh: float | None = None
    ndof: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None


class _Truth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: _Name
    zenith: _Zenith
    azimuth: _Azimuth
    x: float
    y: float
    z: float
    time: float
    energy: _Positive


class _Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    format: str
    version: int
    header: _Header
    truth: _Truth | None = None
    fits: tuple[_Fit, ...] = ()
    pulses: Annotated[tuple[_Pulse, ...], msgspec.Meta(max_length=MAX_PULSES)]


class _Label(msgspec.Struct, frozen=True):
    format: str = ""
    version: int = 0


def dumps(alert: Alert) -> bytes:
    """Write an alert: one line per fit and per pulse, so that events can be compared line by line.

    Raises
    ------
    EventError
        If a number is not finite, which the format cannot say.
    """
    lines = [
        b'{"format": %s, "version": %d,' % (msgspec.json.encode(FORMAT), VERSION),
        b'"header": %s,' % msgspec.json.encode(_Header(**dataclasses.asdict(alert.header))),
        *([b'"truth": %s,' % msgspec.json.encode(_Truth(**dataclasses.asdict(alert.truth)))] if alert.truth else ()),
        b'"fits": [%s],' % _rows(_Fit(**_without_nan(fit)) for fit in alert.fits),
        b'"pulses": [%s]}\n' % _rows(_pulse_rows(alert.pulses)),
    ]
    return b"\n".join(lines)


def loads(data: bytes) -> Alert:
    """Read an alert, strictly: every field is checked, and unknown ones are refused.

    Raises
    ------
    EventError
        With the place, for example `pulses[12].time`; `NoSignal` if there are no pulses.
    """
    try:
        label = msgspec.json.decode(data, type=_Label)
        if (label.format, label.version) != (FORMAT, VERSION):
            message = f"format {label.format!r} version {label.version} is not supported ({FORMAT!r} version {VERSION} is)"
            raise EventError(message)
        event = msgspec.json.decode(data, type=_Event)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise EventError(_located(str(error))) from error
    if not event.pulses:
        message = "the event has no pulses"
        raise NoSignal(message)
    return Alert(
        header=EventHeader(**msgspec.structs.asdict(event.header)),
        pulses=_pulses(event.pulses),
        fits=tuple(PublishedFit(**_with_nan(fit)) for fit in event.fits),
        truth=None if event.truth is None else Truth(**msgspec.structs.asdict(event.truth)),
    )


def _rows(rows: Iterable[msgspec.Struct]) -> bytes:
    lines = b",\n".join(map(msgspec.json.encode, rows))
    return b"\n%s\n" % lines if lines else b""


def _pulse_rows(pulses: Pulses) -> Iterator[_Pulse]:
    for field in ("time", "charge", "width"):
        bad = np.flatnonzero(~np.isfinite(pulses[field]))
        if len(bad):
            message = f"pulses[{bad[0]}].{field} is not finite"
            raise EventError(message)
    columns = {field: _shortest(pulses[field]) for field in PULSE.names or ()}
    for row in zip(*columns.values(), strict=True):
        yield _Pulse(**dict(zip(columns, row, strict=True)))


def _shortest(column: NDArray[Any]) -> list[Any]:
    """Numbers as Python's; single precision with no more digits than tell it apart."""
    numbers: list[Any] = (column.astype(str).astype(float) if column.dtype == np.float32 else column).tolist()
    return numbers


def _pulses(rows: tuple[_Pulse, ...]) -> Pulses:
    pulses = np.array([msgspec.structs.astuple(row) for row in rows], PULSE)
    return pulses[np.lexsort((pulses["time"], pulses["om"], pulses["string"]))]


def _without_nan(fit: PublishedFit) -> dict[str, Any]:
    fields = dataclasses.asdict(fit)
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in fields.items()}


def _with_nan(fit: _Fit) -> dict[str, Any]:
    return {key: value for key, value in msgspec.structs.asdict(fit).items() if value is not None}


def _located(text: str) -> str:
    """Put the place first: msgspec's `Expected ... - at `$.pulses[12].time`` becomes `pulses[12].time: expected ...`."""
    what, _, place = text.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    what = f"{what[:1].lower()}{what[1:]}"
    return f"{place}: {what}" if place else what
