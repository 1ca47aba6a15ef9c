"""The application: asks a source in threads, listens to it in another, and says how the connection is."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from textual.app import App
from textual.message import Message

from ewms.core.errors import EwmsError
from ewms.top.detail import Workflow
from ewms.top.listing import Workflows
from ewms.top.source import News, Source
from ewms.top.system import System
from ewms.top.watching import Watching
from ewms.top.words import clean, duration

T = TypeVar("T")
_PAUSE_SECONDS = 1.0


class Heard(Message):
    """The source told something; None where it has stopped telling."""

    def __init__(self, news: News | None) -> None:
        super().__init__()
        self.news = news


class Top(App[None]):
    """`ewms top`.

    Parameters
    ----------
    source
        What it shows; closed with it.
    workflow_id
        Shown first, instead of the list.
    """

    TITLE = "ewms top"
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 15.0
    BINDINGS = [("question_mark", "help", "Keys")]
    CSS = """
    .connection { height: 1; text-style: reverse; padding: 0 1; }
    .note { height: auto; max-height: 2; padding: 0 1; text-style: italic; }
    .title { text-style: bold; padding: 1 1 0 1; height: auto; }
    #summary { height: auto; max-height: 3; padding: 0 1; }
    #workflows, #section { height: 1fr; }
    #details { height: auto; max-height: 45%; padding: 0 1; border-top: solid $primary; }
    #more { height: auto; }
    .part { height: auto; }
    """

    def __init__(self, source: Source, workflow_id: str | None = None) -> None:
        super().__init__()
        self.source = source
        self.trouble = ""
        """Why the last question was not answered, in one line."""
        self._first = workflow_id
        self._lost_since: float | None = None
        self._is_live = False
        self._ends = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="ewms-top-news", daemon=True)

    def on_mount(self) -> None:
        """Show the list, and listen."""
        self.push_screen(Workflows())
        if self._first is not None:
            self.look_into(self._first)
        self._listener.start()

    def on_unmount(self) -> None:
        """Listen no more."""
        self._ends.set()
        self.source.close()

    async def ask(self, question: Callable[[], T]) -> tuple[T] | None:
        """The answer to a question that may take its time; None, with `trouble` saying why, where there is none."""
        try:
            answer = await asyncio.to_thread(question)
        except EwmsError as error:
            if not self._ends.is_set():
                self.trouble = clean(error)
                self._lost_since = self._lost_since or time.monotonic()
            return None
        self.trouble, self._lost_since = "", None
        return (answer,)

    def connection_line(self) -> str:
        """Where all this comes from, and how well."""
        if self.trouble:
            since = duration(time.monotonic() - (self._lost_since or time.monotonic()))
            return f"ewms top  NO ANSWER for {since}, asking again: {self.trouble}"
        return f"ewms top  {self.source.where}  {'live' if self._is_live else 'asking from time to time'}"

    def look_into(self, workflow_id: str) -> None:
        """Show one workflow."""
        self.push_screen(Workflow(workflow_id))

    def action_system(self) -> None:
        """Show what the workflows run on."""
        self.push_screen(System())

    async def action_back(self) -> None:
        """Show what was shown before."""
        self.pop_screen()

    def action_help(self) -> None:
        """Show or hide all keys."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def on_heard(self, message: Heard) -> None:
        """Pass on what the source tells."""
        self._is_live = message.news is not None
        for screen in self.screen_stack:
            if isinstance(screen, Watching):
                screen.hear(message.news or News(row=None))

    def _listen(self) -> None:
        while not self._ends.is_set():
            try:
                for news in self.source.news():
                    self.post_message(Heard(news))
            except EwmsError:
                pass  # whoever asks next sees it, and says so
            if not self._ends.is_set():
                self.post_message(Heard(None))
                self._ends.wait(_PAUSE_SECONDS)
