"""The calibration study as a workflow: simulated events in, fractions inside contours out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms import Application, DeadLetter, Event, Outcome
from skymap_scanner.coverage.levels import calibrated_levels
from skymap_scanner.coverage.measure import RECO_FILE, Measured
from skymap_scanner.coverage.statistics import calibrated, coverage
from skymap_scanner.errors import ScanError
from skymap_scanner.maps.confidence import WILKS
from skymap_scanner.recos.registry import check_reco

Product = Mapping[str, str | bytes]
NOTE = "same simulator as the reconstruction's photon model, no ice systematics"


class Coverage(Application[Event, Outcome, Product]):
    """How often the truth lies inside each contour.

    Parameters
    ----------
    events
        How many events are simulated.
    seed
        The first event's; the others follow.
    reco
        A reconstruction of tracks.
    plots
        Whether to draw.
    """

    name = "coverage"
    consumer = "skymap_scanner.coverage.measure:Measure"

    def __init__(
        self, inputs: Sequence[Path] = (), *, events: int = 1000, seed: int = 0, reco: str = "mpe", plots: bool = True
    ) -> None:
        super().__init__(inputs)
        if events < 1:
            raise ScanError(f"events is {events}; a study takes at least one")
        if seed < 0:
            raise ScanError(f"seed is {seed}; seeds are not negative")
        if check_reco(reco) not in {"mpe", "spe"}:
            raise ScanError(f"reco '{reco}': coverage is measured for reconstructions of tracks; use mpe or spe")
        self._seeds = range(seed, seed + events)
        self._reco = reco
        self._plots = plots
        self._measured: dict[int, Measured] = {}

    def context(self) -> Mapping[str, bytes]:
        """The reconstruction's name."""
        return {RECO_FILE: self._reco.encode()}

    def start(self) -> Iterator[Event]:
        """One event a seed."""
        return (Event(id=str(seed), body=seed) for seed in self._seeds)

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """Keep what was measured."""
        found = msgspec.convert(outcome.value, Measured)
        self._measured[found.seed] = found
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """An event that could not be measured is missing from the fractions, and counted."""
        return ()

    def assemble(self) -> Product:
        """The numbers, every event, and a picture."""
        report = self.report()
        product: dict[str, str | bytes] = {
            "coverage.json": json.dumps(report, indent=2) + "\n",
            "events.jsonl": "".join(msgspec.json.encode(found).decode() + "\n" for found in self._ordered()),
        }
        if self._plots and self._measured:
            from skymap_scanner.coverage.plot import coverage_plot

            product["coverage.png"] = coverage_plot([found.two_delta for found in self._ordered()], self._reco)
        return product

    def summary(self) -> Mapping[str, Any]:
        """The numbers."""
        return self.report()

    def status(self) -> str:
        """How many are inside the 90 % contour so far."""
        report = self.report()["wilks"]["90"]
        return f"{report['inside']} of {report['events']} inside Wilks' 90 %"

    def report(self) -> dict[str, Any]:
        """What was found so far."""
        values = [found.two_delta for found in self._ordered()]
        wilks = {level.probability: level.two_delta for level in WILKS.levels}
        apart = sorted(found.separation for found in self._ordered())
        return {
            "reco": self._reco,
            "note": NOTE,
            "seeds": [self._seeds.start, self._seeds.stop - 1],
            "missing": len(self._seeds) - len(values),
            "median_separation_degrees": apart[len(apart) // 2] if apart else math.nan,
            "wilks": coverage(values, wilks),
            "calibrated": coverage(values, calibrated_levels(self._reco)),
            "levels_of_these_events": {str(p): level for p, level in calibrated(values).items()} if values else {},
        }

    def _ordered(self) -> list[Measured]:
        return [self._measured[seed] for seed in sorted(self._measured)]
