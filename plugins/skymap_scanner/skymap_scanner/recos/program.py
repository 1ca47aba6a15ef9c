"""Reconstructions that are programs, in any language and perhaps in a container: `ewms` runs one for every pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert
from skymap_scanner.hits import hits_of
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex

HITS_FILE = "hits.csv"
"""The context file that holds the event's hits, for programs that do not know the detector."""


class ProgramReco(Reco):
    """A program, named by a subclass, which is an entry point of the group `skymap_scanner.programs`.

    The program reads a `Pixel` as JSON from one file, writes its `Answer` as JSON to another, and exits with 0.
    """

    task: ClassVar[Mapping[str, Any]]
    """Keys of the `ewms` task that runs it: `command` or `container`, in whose arguments `{{INFILE}}`, `{{OUTFILE}}` and
    `{{DATA_HUB}}`, the folder of event and hits, are replaced; and others, such as `timeout`."""

    def __init__(self, alert: Alert) -> None:
        self._hits = hits_of(alert)

    def fallback(self) -> Vertex:
        """The centre of the charge at the middle of the times."""
        x, y, z = self._hits.centre.tolist()
        return Vertex(x=x, y=y, z=z, time=float(np.median(self._hits.time)))

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """`ScanError`: a program is not called from here."""
        raise ScanError(f"'{self.name}' is a program, which `skymap-scanner scan --reco {self.name}` runs")


def hits_table(alert: Alert) -> bytes:
    """Return the cleaned hits of an event, one a line below a heading: positions in m, times in ns, charges in PE."""
    hits = hits_of(alert)
    columns = (hits.string, hits.om, *hits.position.T, hits.time, hits.charge)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return b"string,om,x,y,z,time,charge\n" + b"".join(b"%s\n" % ",".join(map(str, row)).encode() for row in rows)
