"""What runs on pilots: reconstructs pixels of the event that came as context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

import ewms
from skymap_scanner.reading import native
from skymap_scanner.recos.base import Answer, Pixel
from skymap_scanner.recos.registry import reco_class

EVENT_FILE = "event.json"
"""The context file that holds the event, in the plugin's own format."""
RECO_FILE = "reco.txt"
"""The context file that holds the reconstruction's name."""


class Reconstruct:
    """Built once per process, for one event and one reconstruction."""

    def __init__(self) -> None:
        alert = native.loads(ewms.context(EVENT_FILE).read_bytes())
        self._reco = reco_class(ewms.context(RECO_FILE).read_text())(alert)

    @staticmethod
    def prepare() -> None:
        """Load what the first pixel would wait for."""
        from skymap_scanner.scanning.warming import warm

        warm()

    def consume(self, event: ewms.Event) -> Answer:
        """Answer one pixel."""
        (answer,) = self.consume_many([event])
        return answer

    def consume_many(self, events: list[ewms.Event]) -> Sequence[Answer]:
        """Answer many pixels at once, each as if it were alone."""
        return self._reco.reconstruct([_pixel(event.body, event.attempt) for event in events])


def classify(_event: Any) -> dict[str, Any]:
    """Tell track from shower, by the light of the whole event."""
    from skymap_scanner.recos.cascade import classify as classified

    found = classified(native.loads(ewms.context(EVENT_FILE).read_bytes()))
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain


def _pixel(body: dict[str, Any], attempt: int) -> Pixel:
    return msgspec.convert(body | {"attempt": attempt}, Pixel)
