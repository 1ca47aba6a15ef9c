"""How a running workflow shows itself: live on a terminal, JSON lines for programs, quiet in a pipe."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
import msgspec

from ewms.local.directory import RunDirectory
from ewms.local.progress import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType


class Display:
    """Shows nothing but the result; others also show progress between `__enter__` and `__exit__`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def show(self, progress: Progress) -> None:
        """Something changed."""

    def finished(self, directory: RunDirectory, summary: dict[str, Any]) -> None:
        """The run has ended without an error."""
        click.echo(result_line(directory, summary))


class JsonDisplay(Display):
    """One JSON object a line: every change, and the summary last."""

    def __init__(self) -> None:
        self._last: dict[str, int] | None = None

    def show(self, progress: Progress) -> None:
        """Write the progress if a count changed."""
        if progress.events != self._last:
            self._last = progress.events
            _write_line(progress)

    def finished(self, directory: RunDirectory, summary: dict[str, Any]) -> None:
        """Write the summary."""
        _write_line(summary)


class LiveDisplay(Display):
    """A table that redraws itself: counts and rate per task, time to go, failures."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Redraw."""
        self._live.update(_table(progress), refresh=True)


def display_for(as_json: bool) -> Display:
    """The display that fits where the output goes."""
    if as_json:
        return JsonDisplay()
    return LiveDisplay() if sys.stderr.isatty() else Display()


def result_line(directory: RunDirectory, summary: dict[str, Any]) -> str:
    """What happened, where the product is, what to do next."""
    events, path = summary["events"], directory.path
    if summary["state"] != "complete":
        return f"{summary['state']} with {counted(events['accepted'], 'event')} done; go on with: ewms resume {path}"
    done = counted(events["accepted"], "event")
    if not any(events.values()):
        done = "no events (was the input empty?)"
    line = f"complete: {done} in {summary['seconds']:.1f} s; the product is in {directory.product}"
    if events["dead_lettered"]:
        dead = counted(events["dead_lettered"], "dead letter")
        line += f"\n{dead}; see: ewms why {path}\nafter a fix: ewms dead-letters replay {path}"
    return line


def counted(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _write_line(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def _table(progress: Progress) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("task", "", "done", "of"):
        table.add_column(heading, justify="left" if heading in {"task", ""} else "right")
    for task in progress.tasks:
        bar = ProgressBar(total=max(task.planned, 1), completed=task.done, width=30)
        known = f"{task.planned}" if progress.all_known else f"{task.planned}+"
        table.add_row(task.name, bar, f"{task.done}", known)
    eta = "" if progress.eta_seconds is None else f", {_clock(progress.eta_seconds)} to go"
    failures = "".join(
        f", {count} {word}"
        for word, count in (("retried", progress.events["retried"]), ("dead letters", progress.events["dead_lettered"]))
        if count
    )
    caption = f"{_clock(progress.seconds)}, {progress.events_per_second:.1f} events/s{eta}{failures}"
    lines = [Text(progress.status)] if progress.status else []
    return Group(table, *lines, Text(caption, style="dim"))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
