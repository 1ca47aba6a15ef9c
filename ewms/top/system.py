"""What workflows run on: health, clusters, sites."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from ewms.top.grid import Grid
from ewms.top.source import Row
from ewms.top.watching import Watching


class System(Watching):
    """Everything below each other."""

    BINDINGS = [("escape,q,s", "app.back", "Back")]
    period = 5.0

    def __init__(self) -> None:
        super().__init__()
        self._parts = VerticalScroll()
        self._shown: dict[str, tuple[Static, Grid]] = {}

    def compose(self) -> ComposeResult:
        """Filled with tables when they are there."""
        yield self.connection
        yield self._parts
        yield Footer(compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for workflows are not here."""
        return action not in {"ask_for", "replay_all"}

    def chosen_workflow(self) -> Row | None:
        """None: this is not about workflows."""
        return None

    async def load(self) -> None:
        """Ask for all of it."""
        answer = await self.ask(self.top.source.system)
        if answer is None:
            return
        for title, table in answer[0].items():
            if title not in self._shown:
                self._shown[title] = heading, grid = Static(classes="title", markup=False), Grid(classes="part")
                await self._parts.mount(heading, grid)
            heading, grid = self._shown[title]
            heading.update(f"{title}: {table.note}" if table.note else title)
            grid.show(table)
