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

    def compose(self) -> ComposeResult:
        """Filled with tables when they are there."""
        yield Static(classes="connection", markup=False)
        yield VerticalScroll(id="parts")
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
        parts = self.query_one("#parts")
        for title, table in answer[0].items():
            name = title.lower()
            if not parts.query(f"#{name}"):
                await parts.mount(Static(id=f"{name}-title", classes="title", markup=False), Grid(id=name, classes="part"))
            note = f": {table.note}" if table.note else ""
            parts.query_one(f"#{name}-title", Static).update(f"{title}{note}")
            parts.query_one(f"#{name}", Grid).show(table)
