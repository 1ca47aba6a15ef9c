"""A source that warms the workers up and then waits for the bench to open its gate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ewms import Application, Event, Outcome

_LOOK_SECONDS = 0.002


class Gated(Application[Event, Outcome, None]):
    """Sends `warm_up` events at once and `events` more as soon as the file `gate` exists, from then on without a pause."""

    def __init__(self, inputs: Sequence[Path] = (), *, events: int, warm_up: int = 0, gate: str = "") -> None:
        super().__init__(inputs)
        self._events = events
        self._warm_up = warm_up
        self._gate = Path(gate)

    def body(self, number: int) -> Any:
        """The body of an event."""
        return number

    def start(self) -> Iterator[Event]:
        """Integers in order, and a pause until the gate opens after the first of them."""
        if self._warm_up:
            yield from self._numbered(0, self._warm_up)
            while not self._gate.exists():
                time.sleep(_LOOK_SECONDS)
        yield from self._numbered(self._warm_up, self._warm_up + self._events)

    def _numbered(self, first: int, end: int) -> Iterator[Event]:
        for number in range(first, end):
            yield Event(id=str(number), body=self.body(number))
