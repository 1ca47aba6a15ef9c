"""One workflow: tasks, queues, pilots, failures, dead letters, phases."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static, Tab, Tabs

from ewms.client.connection import ServiceUnavailable
from ewms.core.errors import EwmsError
from ewms.top.grid import Grid
from ewms.top.source import News, Row, Section, Source, Table
from ewms.top.tables import columns, letter_of
from ewms.top.watching import Watching
from ewms.top.words import clean, count, share

_SECTIONS = list(Section)


class Workflow(Watching):
    """One section at a time, with more on the chosen row below.

    Parameters
    ----------
    workflow_id
        `WF-…`.
    """

    BINDINGS = [
        *((str(number), f"section({number - 1})") for number in range(1, len(_SECTIONS) + 1)),
        ("t", "replay_this", "Replay this"),
        ("escape,q", "app.back", "Back"),
    ]

    def __init__(self, workflow_id: str) -> None:
        super().__init__()
        self._workflow_id = workflow_id
        self._summary = Static(id="summary", markup=False)
        self._tabs = Tabs(*(Tab(f"{number} {one}", id=one.name.lower()) for number, one in enumerate(_SECTIONS, 1)))
        self._grid = Grid(id="section")
        self._details = VerticalScroll(id="details", can_focus=True)
        self._more = Static(id="more", markup=False)
        self._row: Row | None = None
        self._section = Section.TASKS

    def compose(self) -> ComposeResult:
        """What it is called and how it stands, sections, rows, more on one of them."""
        yield self.connection
        yield self._summary
        yield self._tabs
        yield self._grid
        with self._details:
            yield self._more
        yield self.note
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin with the tasks; textual calls this and what `Watching` has."""
        self._details.display = False
        self._grid.focus()

    def chosen_workflow(self) -> Row | None:
        """The only one."""
        return self._row

    def hear(self, news: News) -> None:
        """It may have changed."""
        if news.row is None or news.row.workflow_id == self._workflow_id:
            super().hear(news)

    async def load(self) -> None:
        """Ask for the workflow and the section that is shown."""
        section, source = self._section, self.top.source
        answer = await self.ask(lambda: source.workflow(self._workflow_id))
        if answer is None:
            return
        self._row = answer[0]
        self._summary.update(_summary(self._row))
        found = await self.ask(lambda: _looked(source, self._workflow_id, section))
        if found is not None and section is self._section:
            table = found[0]
            self._grid.show(table)
            self.note.update(table.note)
            self._show_more()

    def action_section(self, number: int) -> None:
        """Show another section."""
        self._tabs.active = _SECTIONS[number].name.lower()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Another section was chosen."""
        self._section = Section[str(event.tab.id).upper()]
        self.action_reload()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """More on another row."""
        self._show_more()

    async def action_replay_this(self) -> None:
        """Try the chosen dead letter again, if the user is sure."""
        key = self._grid.chosen
        if self._section is not Section.LETTERS or key is None or self._row is None:
            self.app.notify("choose a dead letter first (5)")
            return
        task, event_id = letter_of(key)
        self.replay(self._row, (event_id,), task, f"dead letter {event_id} of {task}")

    def _show_more(self) -> None:
        shown = self._grid.shown
        text = "" if shown is None else shown.details.get(self._grid.chosen or "", "")
        self._details.display = bool(text)
        self._more.update(text)


def _looked(source: Source, workflow_id: str, section: Section) -> Table:
    """A section; where this one cannot be had, an empty one that says why."""
    try:
        return source.section(workflow_id, section)
    except ServiceUnavailable:
        raise
    except EwmsError as error:
        return Table(columns=columns(str(section)), rows={}, note=clean(error))


def _summary(row: Row) -> str:
    owner = f"  of {clean(row.owner)}" if row.owner else ""
    state = row.state + (f": {clean(row.reason)}" if row.reason else "")
    counts = f"{share(row.terminal, row.planned)} done, {count(row.retried)} retried, {count(row.dead)} dead"
    return f"{clean(row.name)}  {row.workflow_id}{owner}  {state}\n{counts}"
