"""What all screens of `ewms top` share: a line on the connection, loading again and again, actions on a workflow."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Static

from ewms.top.confirm import Confirm
from ewms.top.source import Action, News, Row
from ewms.top.words import clean

if TYPE_CHECKING:
    from ewms.top.app import Top

T = TypeVar("T")
_TICK_SECONDS = 0.25
_LOST_SECONDS = 1.0
_QUESTIONS = {
    Action.CANCEL: "Give {name} up for good? What was accepted stays.",
    Action.PAUSE: "Have {name} send nothing more until it is resumed?",
    Action.RESUME: "Have {name} go on?",
}
_DONE = {
    Action.CANCEL: "{name} is being cancelled",
    Action.PAUSE: "{name} is being paused",
    Action.RESUME: "{name} goes on",
}


class Watching(Screen[None]):
    """A screen that shows what is so now."""

    BINDINGS = [
        ("c", "ask_for('cancel')", "Cancel"),
        ("p", "ask_for('pause')", "Pause"),
        ("r", "ask_for('resume')", "Resume"),
        ("R", "replay_all", "Replay"),
        Binding("f5", "reload", "Refresh", show=False),  # 80 columns have room for the others
    ]
    period = 2.0
    """Seconds after which it asks again without news."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = Static(classes="connection", markup=False)
        """Says how the connection is; on top of each screen."""
        self.note = Static(classes="note", markup=False)
        """One line on what is shown."""
        self._line = ""
        self._is_loading = False
        self._is_wanted = False
        self._loaded = 0.0

    @property
    def top(self) -> Top:
        """The application, by its own type."""
        return cast("Top", self.app)

    @abstractmethod
    async def load(self) -> None:
        """Ask, and show what is answered."""

    @abstractmethod
    def chosen_workflow(self) -> Row | None:
        """The one that keys are about."""

    def draw(self) -> None:
        """Show what was told meanwhile."""

    def hear(self, news: News) -> None:
        """Something changed."""
        self._is_wanted = True

    def on_mount(self) -> None:
        """Begin to load."""
        self.set_interval(_TICK_SECONDS, self._tick)
        self.action_reload()

    def on_screen_resume(self) -> None:
        """It is seen again."""
        self.action_reload()

    def action_reload(self) -> None:
        """Ask now."""
        self._is_wanted = True
        self._begin()

    async def action_ask_for(self, action: str) -> None:
        """Do something with the chosen workflow, if the user is sure."""
        wish, row = Action(action), self.chosen_workflow()
        if row is not None:
            name = f"{clean(row.name)} ({row.workflow_id})"
            self._when_sure(
                _QUESTIONS[wish].format(name=name),
                lambda: self.top.source.act(row.workflow_id, wish),
                lambda _: _DONE[wish].format(name=name),
            )

    async def action_replay_all(self) -> None:
        """Try all dead letters of the chosen workflow again, if the user is sure."""
        row = self.chosen_workflow()
        if row is not None:
            self.replay(row, (), None, f"all {row.dead:,} dead letters")

    def replay(self, row: Row, event_ids: tuple[str, ...], task: str | None, what: str) -> None:
        """Try dead letters again, if the user is sure."""
        self._when_sure(
            f"Try {what} of {clean(row.name)} ({row.workflow_id}) again?",
            lambda: self.top.source.replay(row.workflow_id, event_ids, task),
            lambda letters: f"{letters:,} dead letters are being tried again" if letters else "there is none to try again",
        )

    async def ask(self, question: Callable[[], T]) -> tuple[T] | None:
        """The answer; None where there is none, or nobody is there any more to see it."""
        answer = await self.top.ask(question)
        return answer if self.is_attached and self.app.is_running else None

    def _when_sure(self, question: str, act: Callable[[], T], tell: Callable[[T], str]) -> None:
        async def go_on() -> None:
            if not await self.app.push_screen_wait(Confirm(question)):
                return
            answer = await self.top.ask(act)
            if answer is None:
                self.app.notify(self.top.trouble, severity="error", markup=False)
            else:
                self.app.notify(tell(answer[0]), markup=False)
                self.action_reload()

        self.run_worker(go_on(), group="actions")

    def _tick(self) -> None:
        self.draw_connection()
        if not self.is_current:
            return
        self.draw()
        age = time.monotonic() - self._loaded
        if age > (_LOST_SECONDS if self.top.trouble else self.period):
            self._is_wanted = True
        # A workflow of many short events is not asked for at every one of them.
        if self._is_wanted and age > _LOST_SECONDS:
            self._begin()

    def draw_connection(self) -> None:
        """Say how the connection is."""
        line = self.top.connection_line()
        if line != self._line:
            self._line = line
            self.connection.update(line)

    def _begin(self) -> None:
        if not self._is_loading:
            self._is_loading = True
            self.run_worker(self._load(), group="loading")

    async def _load(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self.load()
        finally:
            self._loaded = time.monotonic()
            self._is_loading = False
