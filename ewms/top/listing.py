"""The first screen: all workflows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Input

from ewms.core.service.phases import WorkflowState
from ewms.top.grid import Grid
from ewms.top.source import Column, News, Row, Table, Wanted
from ewms.top.watching import Watching
from ewms.top.words import clean, count, rate, share, to_go

_FILTERS: dict[str, Sequence[str]] = {
    "all": (),
    "unfinished": (WorkflowState.PENDING, WorkflowState.RUNNING, WorkflowState.PAUSED),
    **{str(state): (state,) for state in (WorkflowState.FAILED, WorkflowState.COMPLETE, WorkflowState.CANCELLED)},
}
_RATE_SECONDS = 35.0
"""A service tells rates with changes: after so long without one, nothing is being done."""
_COLUMNS = (
    Column(title="name"),
    Column(title="state"),
    Column(title="done"),
    Column(title="rate", rank=1),
    Column(title="to go", rank=2),
    Column(title="retried", rank=4),
    Column(title="dead"),
    Column(title="owner", rank=6),
    Column(title="priority", rank=7),
    Column(title="id", rank=3),
    Column(title="reason", rank=5),
)


class Workflows(Watching):
    """All workflows that are wanted, newest first."""

    BINDINGS = [
        Binding("slash", "search", "Search", priority=True),  # before the keys behind it are handed out
        ("f", "filter", "Filter"),
        ("m", "more", "More"),
        ("s", "app.system", "System"),
        ("q", "app.quit", "Quit"),
    ]
    period = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._grid = Grid(id="workflows")
        self._box = Input(placeholder="part of a name or id; Enter searches, Esc shows all", compact=True)
        self._wanted = Wanted()
        self._filter = "all"
        self._rows: dict[str, Row] = {}
        self._rates: dict[str, tuple[float, float]] = {}
        self._total: int | None = None
        self._is_stale = False

    def compose(self) -> ComposeResult:
        """The list, and below it what is looked for."""
        yield self.connection
        yield self._grid
        yield self.note
        yield self._box
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """The search is there when it is asked for; textual calls this and what `Watching` has."""
        self._box.display = False
        self._grid.focus()

    def chosen_workflow(self) -> Row | None:
        """The one with the cursor."""
        return self._rows.get(self._grid.chosen or "")

    async def load(self) -> None:
        """List anew."""
        wanted = self._wanted
        answer = await self.ask(lambda: self.top.source.workflows(wanted))
        if answer is not None and wanted is self._wanted:
            page = answer[0]
            self._rows = {row.workflow_id: row for row in page.rows}
            self._total = page.total
            self._remember(page.rows)
            self._is_stale = True
            self.draw()

    def hear(self, news: News) -> None:
        """A known workflow is shown as it is now; one that is not known, or known to fit no longer, has all listed anew."""
        row = news.row
        if row is None or row.workflow_id not in self._rows or row.state != self._rows[row.workflow_id].state:
            super().hear(news)
        if row is not None and row.workflow_id in self._rows:
            self._rows[row.workflow_id] = row
            self._remember([row])
            self._is_stale = True

    def draw(self) -> None:
        """Show all rows."""
        now = time.monotonic()
        quiet = [key for key, (_, heard) in self._rates.items() if now - heard > _RATE_SECONDS]
        for key in quiet:
            del self._rates[key]
        if not self._is_stale and not quiet:
            return
        self._is_stale = False
        self._grid.show(Table(columns=_COLUMNS, rows={key: self._cells(row) for key, row in self._rows.items()}))
        self.note.update(self._note())

    def action_search(self) -> None:
        """Ask for a text."""
        self._box.display = True
        self.set_focus(self._box)  # at once: what is typed on is text already, and no keys

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for it."""
        self._want(text=event.value.strip())
        self._grid.focus()

    def key_escape(self) -> None:
        """Search no more."""
        self._box.value, self._box.display = "", False
        self._want(text="")
        self._grid.focus()

    def action_filter(self) -> None:
        """Show the next kind of states."""
        names = list(_FILTERS)
        self._filter = names[(names.index(self._filter) + 1) % len(names)]
        self._want(states=_FILTERS[self._filter])

    def action_more(self) -> None:
        """Show twice as many."""
        self._want(limit=2 * self._wanted.limit)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Look into the chosen one."""
        if event.row_key.value is not None:
            self.top.look_into(event.row_key.value)

    def _want(self, **changes: object) -> None:
        self._wanted = msgspec.structs.replace(self._wanted, **changes)
        self.action_reload()

    def _remember(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.rate is not None:
                self._rates[row.workflow_id] = row.rate, time.monotonic()

    def _cells(self, row: Row) -> tuple[str, ...]:
        is_running = row.state in {WorkflowState.RUNNING, WorkflowState.PENDING}
        speed = self._rates.get(row.workflow_id, (None, 0.0))[0] if is_running else None
        return (
            clean(row.name),
            row.state,
            share(row.terminal, row.planned),
            rate(speed),
            to_go(row.planned, row.terminal, speed),
            count(row.retried),
            count(row.dead),
            clean(row.owner),
            count(row.priority),
            row.workflow_id,
            clean(row.reason),
        )

    def _note(self) -> str:
        parts = ["no workflows"]
        if self._total:
            cut = ", m shows more" if len(self._rows) < self._total else ""
            parts = [f"{len(self._rows):,} of {self._total:,} workflows, newest first{cut}"]
        if self._filter != "all":
            parts.append(f"only {self._filter}")
        if self._wanted.text:
            parts.append(f"only with '{clean(self._wanted.text)}'")
        return "; ".join(parts)
