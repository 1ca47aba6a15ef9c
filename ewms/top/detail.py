"""One workflow: tasks, queues, pilots, failures, dead letters, phases."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static, Tab, Tabs

from ewms.top.grid import Grid
from ewms.top.source import News, Row, Section
from ewms.top.tables import letter_of
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
        self._row: Row | None = None
        self._section = Section.TASKS

    def compose(self) -> ComposeResult:
        """What it is called and how it stands, sections, rows, more on one of them."""
        yield Static(classes="connection", markup=False)
        yield Static(id="summary", markup=False)
        yield Tabs(*(Tab(f"{number} {section}", id=section.name.lower()) for number, section in enumerate(_SECTIONS, 1)))
        yield Grid(id="section")
        with VerticalScroll(id="details", can_focus=True):
            yield Static(id="more", markup=False)
        yield Static(classes="note", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin with the tasks."""
        self.query_one("#details").display = False
        self.query_one(Grid).focus()
        super().on_mount()

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
        self.query_one("#summary", Static).update(_summary(self._row))
        found = await self.ask(lambda: source.section(self._workflow_id, section))
        if found is not None and section is self._section:
            table = found[0]
            self.query_one(Grid).show(table)
            self.query_one(".note", Static).update(table.note)
            self._show_more()

    def action_section(self, number: int) -> None:
        """Show another section."""
        self.query_one(Tabs).active = _SECTIONS[number].name.lower()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Another section was chosen."""
        self._section = Section[str(event.tab.id).upper()]
        self.action_reload()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """More on another row."""
        self._show_more()

    async def action_replay_this(self) -> None:
        """Try the chosen dead letter again, if the user is sure."""
        key = self.query_one(Grid).chosen
        if self._section is not Section.LETTERS or key is None or self._row is None:
            self.app.notify("choose a dead letter first (5)")
            return
        task, event_id = letter_of(key)
        self.replay(self._row, (event_id,), task, f"dead letter {event_id} of {task}")

    def _show_more(self) -> None:
        grid = self.query_one(Grid)
        text = "" if grid.shown is None else grid.shown.details.get(grid.chosen or "", "")
        self.query_one("#details").display = bool(text)
        self.query_one("#more", Static).update(text)


def _summary(row: Row) -> str:
    owner = f"  of {clean(row.owner)}" if row.owner else ""
    state = row.state + (f": {clean(row.reason)}" if row.reason else "")
    counts = f"{share(row.terminal, row.planned)} done, {count(row.retried)} retried, {count(row.dead)} dead"
    return f"{clean(row.name)}  {row.workflow_id}{owner}  {state}\n{counts}"
