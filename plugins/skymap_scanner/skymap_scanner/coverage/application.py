"""The calibration study as a workflow: simulated events in, fractions inside contours out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms import Application, DeadLetter, Event, Outcome
from skymap_scanner.coverage.measure import RECO_FILE, Measured, track_reco
from skymap_scanner.coverage.report import report, studies
from skymap_scanner.errors import ScanError
from skymap_scanner.simulation.sample import LAST_SAMPLE

Product = Mapping[str, str | bytes]


class Coverage(Application[Event, Outcome, Product]):
    """How often the truth lies inside each contour.

    Parameters
    ----------
    inputs
        None: events are simulated.
    events
        How many.
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
        if inputs:
            raise ScanError(f"a study simulates its own events; leave out the input {inputs[0]}")
        if events < 1:
            raise ScanError(f"events is {events}; a study takes at least one")
        if seed < 0 or seed + events - 1 > LAST_SAMPLE:
            raise ScanError(f"seed {seed} is out of range; give 0 to {LAST_SAMPLE + 1 - events} for {events} events")
        track_reco(reco)
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
        self._measured[found.event] = found
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """An event that could not be measured is missing from the fractions, and counted."""
        return ()

    def assemble(self) -> Product:
        """The numbers, the levels as they would be shipped, every event, and a picture."""
        found = self._found
        product: dict[str, str | bytes] = {
            "coverage.json": _document(report(self._reco, self._seeds, found)),
            "levels.json": _document(studies(self._reco, self._seeds, found)),
            "events.jsonl": "".join(msgspec.json.encode(event).decode() + "\n" for event in found),
        }
        if self._plots and found:
            from skymap_scanner.coverage.plot import coverage_plot

            product["coverage.png"] = coverage_plot([event.two_delta for event in found], self._reco)
        return product

    def summary(self) -> Mapping[str, Any]:
        """The numbers."""
        return report(self._reco, self._seeds, self._found)

    def status(self) -> str:
        """How many are inside the 90 % contour so far."""
        inside = report(self._reco, self._seeds, self._found)["wilks"]["90"]
        return f"{inside['inside']} of {inside['events']} inside Wilks' 90 %"

    @property
    def _found(self) -> list[Measured]:
        return [self._measured[event] for event in sorted(self._measured)]


def _document(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
