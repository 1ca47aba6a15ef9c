"""What somebody sees in a textual application."""

from __future__ import annotations

import time
from typing import Any

from textual.app import App
from textual.pilot import Pilot

SECONDS = 90.0


def seen(app: App[Any]) -> str:
    """The screen as text, one line per row."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def until_seen(pilot: Pilot[Any], *texts: str, gone: str | None = None, seconds: float = SECONDS) -> str:
    """The screen as soon as it shows all of the texts, wherever its lines break, and no longer the one that is to go.

    Fails the test after so many seconds.
    """
    end = time.monotonic() + seconds
    while True:
        screen = seen(pilot.app)
        words = " ".join(screen.split())
        if all(text in screen or text in words for text in texts) and (gone is None or gone not in screen):
            return screen
        assert time.monotonic() < end, f"waited in vain for {texts}, without {gone!r}:\n{screen}"
        await pilot.pause(0.15)
