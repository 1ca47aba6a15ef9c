"""I3SuperDST, the compressed form of all pulses of an event (version 1).

Pulses stand in groups, one per read-out of a module, in order of time. Each group has a header (module, high bits of its
time) and stamps (16 bits: time since the one before, charge, coincidence, last of the group); what does not fit goes on
in the following words. Widths are logarithms in four run-length coded streams. Source: `superdst.rst` and
`I3SuperDST.cxx` of icecube/icetray-public.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.errors import EventError
from skymap_scanner.pulses import ATWD, FADC, HLC, PULSE, Pulses
from skymap_scanner.reading.archive import Archive
from skymap_scanner.reading.limits import MAX_PULSES
from skymap_scanner.reading.pulsemap import PulseMap, counts_of

NEWEST = 1
"""Version of the class that is known."""

_START: Final = -512.0  # ns, what the time of the first group counts from
_FULL_GROUP_TIME: Final = 0x7FF
_FULL_TIME: Final = 0xFF
_FULL_CHARGE: Final = 0x3F
_FULL_WORD: Final = 0xFFFF
_SURFACE: Final = 60  # modules with larger numbers are in the tanks of IceTop
_CHARGE_STEP: Final = 0.05  # photoelectrons
_LOG_CHARGE_STEP: Final = 9.0 / 16383.0
_LARGEST_SIZE: Final = 246  # that stands for itself; greater first bytes say how many bytes of size follow


def read(archive: Archive, version: int) -> PulseMap:
    """Read an `I3SuperDST`.

    Raises
    ------
    EventError
        If its version is not 1, or its parts do not fit together.
    """
    if version != 1:
        message = f"I3SuperDST version {version} is not supported (1 is); write the event again with a newer IceTray"
        raise EventError(message)
    archive.base()
    words = _compact(archive, "ChargeStamp", "<u2").tolist()
    headers = _compact(archive, "DOMHeader", "<u2").tolist()
    # In the ice without and with coincidence, then the same on the surface.
    widths = [iter(_runs(_compact(archive, "unsigned char", "u1"), len(words))) for _ in range(4)]
    extra = iter(_compact(archive, "unsigned char", "u1").tolist())
    try:
        rows = _unpack(words, headers, widths, extra)
    except (IndexError, StopIteration) as error:
        message = "I3SuperDST ends within a pulse"
        raise EventError(message) from error
    pulses = np.array(rows, PULSE)
    pulses = pulses[np.lexsort((pulses["time"], pulses["om"], pulses["string"]))]
    counts = counts_of(pulses)
    separate(pulses, counts)
    return PulseMap(pulses=pulses, counts=counts)


def _compact(archive: Archive, element: str, dtype: str) -> NDArray[np.unsignedinteger]:
    archive.begin(f"CompactVector<{element}>")
    archive.begin("SizeCodec")
    size = archive.u8()
    if size > _LARGEST_SIZE:
        size = int.from_bytes(archive.take(0xFF - size), "little")
    if size > MAX_PULSES:
        message = f"I3SuperDST claims {size} entries; at most {MAX_PULSES} are read"
        raise EventError(message)
    return archive.array(dtype, size)


def _runs(codes: NDArray[np.unsignedinteger], most: int) -> list[int]:
    """Undo the run-length code: low half the value; the high halves of adjacent bytes with that value make the length."""
    values: list[int] = []
    lengths: list[int] = []
    shift = total = 0
    for code in codes.tolist():
        value, digit = code & 0xF, code >> 4
        if values and value == values[-1]:
            shift += 4
        else:
            values.append(value)
            lengths.append(0)
            shift = 0
        lengths[-1] += digit << shift
        total += digit << shift
        if total > most:  # at once, or the numbers could grow to millions of digits
            message = "I3SuperDST has more widths than pulses"
            raise EventError(message)
    return [value for value, length in zip(values, lengths, strict=True) for _ in range(length)]


def _unpack(
    words: list[int], headers: list[int], widths: list[Iterator[int]], extra: Iterator[int]
) -> list[tuple[int, int, float, float, float, int]]:
    rows = []
    group_time, at = _START, 0

    def carried(code: int, full: int) -> int:
        """Go on in the next words where a field is full, until one is not."""
        nonlocal at
        more = code == full
        while more:
            at += 1
            code += words[at]
            more = words[at] == _FULL_WORD
        return code

    for header in headers:
        string, om = (header & 0x1FFF) >> 6, (header & 0x3F) + 1
        surface = om > _SURFACE
        first, last = True, False
        time = group_time
        while not last:
            word = words[at]
            hlc, last = word >> 14 & 1, bool(word >> 15)
            if first:
                time += carried(word & 0xFF | header >> 13 << 8, _FULL_GROUP_TIME)
                group_time, first = time, False
            else:
                time += carried(word & 0xFF, _FULL_TIME)
            code = word >> 8 & _FULL_CHARGE
            if surface:
                charge = 10.0 ** ((code | next(extra) << 6) * _LOG_CHARGE_STEP - 2.0)
            else:
                charge = (carried(code, _FULL_CHARGE) + 0.5) * _CHARGE_STEP
            width = float(1 << next(widths[2 * surface + hlc]))
            rows.append((string, om, time, charge, width, HLC | ATWD | FADC if hlc else FADC))
            at += 1
    if at != len(words):
        message = "I3SuperDST has more stamps than its headers speak of"
        raise EventError(message)
    return rows


def separate(pulses: Pulses, counts: NDArray[np.int64]) -> None:
    """Make pulses of a module not overlap, in place, as IceTray does when it unpacks.

    A width is cut at the next pulse. A pulse that is left with none, because the next has the same time, gets half of
    its predecessor's and moves to the middle of it.

    Parameters
    ----------
    pulses : sorted by module and time.
    counts : how many of them each module has.
    """
    ends = np.cumsum(counts)
    gap = np.diff(pulses["time"], append=np.inf)
    gap[ends - 1] = np.inf
    for module in np.unique(np.searchsorted(ends, np.flatnonzero(gap == 0.0), side="right")):
        mine = slice(ends[module] - counts[module], ends[module])
        _share(pulses[mine])
        gap[mine] = np.inf
    np.minimum(pulses["width"], gap, out=pulses["width"], casting="same_kind")


def _share(pulses: Pulses) -> None:
    time, width = pulses["time"].tolist(), pulses["width"].tolist()

    def halve(at: int) -> None:
        before = width[at - 1] or width[at]
        width[at - 1] = width[at] = before / 2
        time[at] = time[at - 1] + before / 2

    owed = False  # the first pulse has no predecessor: it shares with the second
    for at in range(len(time) - 1):
        width[at] = min(width[at], time[at + 1] - time[at])
        if width[at] == 0 or owed:
            if at:
                halve(at)
            owed = not at
    if owed:
        halve(len(time) - 1)
    pulses["time"], pulses["width"] = time, width
