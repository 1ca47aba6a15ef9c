"""What a workflow's application shows while it runs: partial products among the workflow's files, and a line of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from ewms.core.errors import EwmsError, StoreError
from ewms.core.service.files import PARTIAL
from ewms.drive.keeping import forgotten, registered
from ewms.drive.record import Record
from ewms.local.product import product_files
from ewms.stores.store import Change
from ewms.wms.files import Content, Files
from ewms.wms.hosting import Host

_log = logging.getLogger("ewms.drive")
_SECONDS = 1.0
_SECONDS_BEFORE_THE_FIRST = 0.1
_SECONDS_AFTER_TROUBLE = 10.0
_SHARE = 0.1
"""Of the time, at most, is spent on this: the application answers nothing meanwhile."""
_LONGEST_NOTE = 500


class Partials:
    """Asks the application soon after something has become terminal, about once a second.

    Contents lie in a place of the workflow's own, so that they can go when newer ones are there: nobody else names them. The
    last but one stay until the next come, for those who are reading them.

    Parameters
    ----------
    record
        Of the workflow.
    files
        The service's.
    host
        Of the application.
    """

    def __init__(self, record: Record, files: Files, host: Host) -> None:
        self._record = record
        self._place = files.of_partials(record.workflow_id)
        self._host = host
        self._terminal = 0
        self._changed = asyncio.Event()
        self._draws = self._tells = host.shows
        self._before: frozenset[str] = frozenset()
        self._told_at = -_SECONDS

    @property
    def is_wanted(self) -> bool:
        """Whether the application shows anything at all."""
        return self._host.shows

    def saw(self, terminal: int) -> None:
        """Take note of how many events are terminal."""
        if terminal != self._terminal:
            self._terminal = terminal
            self._changed.set()

    async def run(self) -> None:
        """Show what there is until cancelled. Raises what writing the workflow's document raises."""
        named = self._record.document.files
        self._before = frozenset(digest for name, digest in named.items() if name.startswith(PARTIAL))
        await asyncio.to_thread(self._place.keep_only, self._before)  # a host may have died before it named the others
        while True:
            await self._changed.wait()
            self._changed.clear()
            began = time.monotonic()
            pause = await self._show()
            await asyncio.sleep(max(pause, (time.monotonic() - began) / _SHARE))

    def note(self) -> str:
        """The application's line; empty from the first time that it fails on."""
        if not self._tells:
            return ""
        try:
            return next(iter(self._host.status().splitlines()), "")[:_LONGEST_NOTE]
        except EwmsError as error:
            self._tells = False
            self._warn("status_failed", error)
            return ""

    def removal(self) -> list[Change]:
        """The changes after which the partial product is known no more."""
        return forgotten(self._record.workflow_id, self._record.document.partial)

    def clear(self) -> None:
        """Remove all contents; for when nothing names them. Blocks."""
        try:
            self._place.keep_only(())
        except StoreError as error:
            self._warn("partial_not_removed", error)

    async def _show(self) -> float:
        """Show what there is now; seconds after which it makes sense to look again."""
        drawing = asyncio.create_task(asyncio.to_thread(self._draw))
        try:
            contents, note = await asyncio.shield(drawing)
        except asyncio.CancelledError:
            await asyncio.gather(drawing, return_exceptions=True)  # or it would be kept when all the others are removed
            raise
        except StoreError as error:
            self._warn("partial_not_kept", error)
            return _SECONDS_AFTER_TROUBLE
        if contents:
            now = frozenset(content.sha256 for content in contents.values())
            await self._record.show(contents, note, *self.removal(), *registered(self._record.workflow_id, contents))
            await asyncio.to_thread(self._place.keep_only, self._before | now)
            self._before = now
            return _SECONDS
        if note != self._record.document.note:
            if time.monotonic() - self._told_at < _SECONDS:
                self._changed.set()  # too soon: look again
            else:
                self._told_at = time.monotonic()
                await self._record.update(note=note)
        return _SECONDS_BEFORE_THE_FIRST

    def _draw(self) -> tuple[Mapping[str, Content], str]:
        """The partial product, kept. One that fails is the last: a workflow does not end for the sake of a picture."""
        files: dict[str, bytes] = {}
        if self._draws:
            try:
                product = self._host.snapshot()
                files = {} if product is None else product_files(product)
            except EwmsError as error:
                self._draws = False
                self._warn("snapshot_failed", error)
        contents = {PARTIAL + name: self._place.put(data) for name, data in files.items()}
        return contents, self.note()

    def _warn(self, what: str, error: EwmsError) -> None:
        _log.warning(what, extra={"workflow": self._record.workflow_id, "reason": str(error)})
