"""A run in a thread of its own, so that it works from a script, from a notebook and beside any event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

from ewms.core.errors import ConsumerError, EwmsError
from ewms.local.progress import Progress
from ewms.local.run import LocalRun
from ewms.local.starting import OnProgress
from ewms.wms.driver import Stop

_WORKER = "EWMS_WORKER"
_LOOK_SECONDS = 0.1


class BackgroundRun:
    """Runs what `make` returns; `make` is called in the event loop of the thread, with what its run is to tell progress to.

    Raises `ConsumerError` inside a pilot's worker: a script that starts workflows when imported would do so without end.
    """

    def __init__(self, make: Callable[[OnProgress], LocalRun]) -> None:
        if os.environ.get(_WORKER):
            raise ConsumerError(
                "a pilot imported this module to find its function, and the module starts a workflow when imported; "
                'put that call below `if __name__ == "__main__":`'
            )
        self._make = make
        self._run: LocalRun | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: Stop | None = None
        self._summary: dict[str, Any] = {}
        self._error: BaseException | None = None
        self._progress: Progress | None = None
        self._thread = threading.Thread(target=self._main, name="ewms-run", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the run has not ended."""
        return self._thread.is_alive()

    def stop(self, how: Stop) -> None:
        """End the run before it is complete; returns at once."""
        self._stopped = how
        if self._loop is not None and self._run is not None and self.running:
            try:
                self._loop.call_soon_threadsafe(self._run.stop, how)
            except RuntimeError:  # the loop was closed meanwhile: the run has ended by itself
                return

    def join(self) -> None:
        """Wait for the end, however it comes."""
        self._thread.join()

    def wait(self, on_progress: OnProgress | None = None) -> dict[str, Any]:
        """The summary when the run has ended; raises what ended it otherwise.

        Ctrl-C, and whatever `on_progress` raises, interrupts the run, waits until it can be resumed, and is raised again.
        """
        try:
            if on_progress is not None:
                self._follow(on_progress)
            self._thread.join()
        except BaseException:
            self.stop(Stop.INTERRUPTED)
            self._thread.join()
            raise
        if self._error is not None:
            raise self._error
        return self._summary

    def _follow(self, on_progress: OnProgress) -> None:
        """Pass progress on in the caller's thread, so that what the caller does with it holds up nothing but itself."""
        shown = None
        while self.running:
            self._thread.join(_LOOK_SECONDS)
            progress = self._progress
            if progress is not None and progress is not shown:
                on_progress(progress)
                shown = progress

    def _note(self, progress: Progress) -> None:
        self._progress = progress

    def _main(self) -> None:
        try:
            asyncio.run(self._amain())
        except (EwmsError, OSError) as error:
            self._error = error

    async def _amain(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._run = self._make(self._note)
        if self._stopped is not None:
            self._run.stop(self._stopped)
        self._summary = await self._run.run()
