"""What a scan shows on the terminal while it runs, and when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import ewms


class Display:
    """For pipes and logs: shows nothing."""

    def show(self, progress: ewms.Progress) -> None:
        """Take how far the scan is; called a few times a second."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the terminal as it was."""


class Live(Display):
    """A block that redraws itself: pixels per level, the best direction so far, time to go."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._title = title
        self._live = RichLive(console=Console(stderr=True), auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def show(self, progress: ewms.Progress) -> None:
        """Redraw."""
        from rich.text import Text

        to_go = "" if progress.eta_seconds is None else f", about {progress.eta_seconds:.0f} s to go in this round"
        pace = f"{progress.seconds:.0f} s, {progress.events_per_second:.0f} pixels/s{to_go}"
        lines = [self._title, *progress.status.split(", "), pace]
        self._live.update(Text("\n  ".join(lines)), refresh=True)


def display_for(title: str) -> Display:
    """Return a live display where somebody watches, else one that shows nothing."""
    return Live(title) if sys.stderr.isatty() else Display()


def report_lines(result: ewms.RunResult) -> Iterator[str]:
    """What a scan found, in a few lines."""
    summary = result.summary
    kind = summary["classification"]["kind"]
    yield f"run {summary['run_id']} event {summary['event_id']}: {_direction(summary)}"
    if kind == "cascade":
        yield "it looks like a shower: the light tells no direction, so none is given"
    for name, scheme in summary.get("contours", {}).items():
        if name == "calibrated" or (name == "wilks" and "calibrated" not in summary["contours"]):
            yield f"50 % area {scheme['50']['area']:.2f}, 90 % area {scheme['90']['area']:.2f} sq deg ({scheme['note']})"
    pixels = sum(summary["pixels"].values())
    yield f"{pixels} pixels in {summary['seconds']:.1f} s; files in {result.product}"
    dead = summary["events"]["dead_lettered"]
    if dead:
        yield f"{dead} without answer; see: ewms why {result.out}"
    if "degrees_from_truth" in summary:
        yield f"the event was simulated: the best fit is {summary['degrees_from_truth']:.2f} degrees from the truth"


def _direction(summary: dict[str, Any]) -> str:
    best = summary["best_fit"]
    if best is None:
        return str(summary["note"])
    error = summary["errors"]["90"]
    return (
        f"ra {best['ra']:.2f} (+{error['ra_plus']:.2f} -{error['ra_minus']:.2f}), "
        f"dec {best['dec']:+.2f} (+{error['dec_plus']:.2f} -{error['dec_minus']:.2f}) degrees at 90 %"
    )
