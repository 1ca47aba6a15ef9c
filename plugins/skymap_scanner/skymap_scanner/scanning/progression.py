"""Which resolutions a scan goes through: `8:0,64:12,512:24`."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Self

from skymap_scanner.errors import ScanError

DEFAULT = "8:0,64:12,512:24"
FINEST = 4096
"""nside; its pixels are 0.014 degrees wide, finer than any reconstruction resolves."""
_ITEM = re.compile(r"(\d+):(\d+)", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One level of the map."""

    nside: int
    """Its resolution."""
    extension: int
    """About how many pixels of the level before, round the minimum, are looked at in this one; 0 for the first."""


@dataclasses.dataclass(frozen=True, slots=True)
class Progression:
    """Levels from coarse to fine."""

    steps: tuple[Step, ...]
    """At least one; `nside` ascends."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `nside:extension` items, separated by commas or blanks.

        Raises
        ------
        ScanError
            Names the item that breaks a rule: nsides are ascending powers of two up to `FINEST`, the first extension is
            0 and the others are positive.
        """
        items = re.split(r"[,\s]+", text.strip())
        steps = [_step(item, is_first=number == 0) for number, item in enumerate(items)]
        for before, after in itertools.pairwise(steps):
            if after.nside <= before.nside:
                raise ScanError(f"nsides: {after.nside} follows {before.nside}; go from coarse to fine")
        return cls(tuple(steps))

    @property
    def nsides(self) -> tuple[int, ...]:
        """The resolutions, coarsest first."""
        return tuple(step.nside for step in self.steps)


def _step(item: str, *, is_first: bool) -> Step:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ScanError(f"nsides: '{item}' is not of the form nside:extension; write for example {DEFAULT}")
    nside, extension = int(match[1]), int(match[2])
    if not 1 <= nside <= FINEST or nside & (nside - 1):
        raise ScanError(f"nsides: {nside} in '{item}' is not a power of two from 1 to {FINEST}")
    if is_first and extension:
        raise ScanError(
            f"nsides: the first extension is {extension} in '{item}'; the first level is scanned whole, write {nside}:0"
        )
    if not is_first and not extension:
        raise ScanError(f"nsides: the extension in '{item}' is 0; say about how many coarser pixels to look into")
    return Step(nside=nside, extension=extension)
