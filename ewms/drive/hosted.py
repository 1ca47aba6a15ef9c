"""One workflow at a driver host: life after life, until it is final, failed or another host's."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from ewms.core.errors import BrokerError, EwmsError, MessageTooLarge, StaleEpoch, StoreError, StoreFull
from ewms.core.service.phases import WorkflowState
from ewms.drive.life import Ending, Life
from ewms.drive.record import Record
from ewms.drive.services import Services
from ewms.stores.store import Stored

_log = logging.getLogger("ewms.drive")
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)


class Hosted:
    """Never raises: what goes wrong with one workflow is told in its document and stops no other.

    Parameters
    ----------
    record
        Of a workflow that this host has claimed.
    """

    def __init__(self, record: Record, services: Services) -> None:
        self._record = record
        self._services = services
        self._life: Life | None = None
        self._released = asyncio.Event()
        self._is_lost = False
        record.on_news = self._heed

    def release(self) -> None:
        """Give the workflow to another host, soon."""
        self._released.set()
        if self._life is not None:
            self._life.release()

    def saw(self, stored: Stored) -> None:
        """The document as it is in the store by now."""
        try:
            if self._record.saw(stored):
                self._heed()
        except StaleEpoch:
            self._is_lost = True
            self.release()

    def _heed(self) -> None:
        if self._life is not None:
            self._life.heed()

    async def run(self) -> None:
        """Drive it here for as long as that makes sense."""
        identity = {"workflow": self._record.workflow_id}
        try:
            await self._live()
        except StaleEpoch as error:
            _log.warning("workflow_lost", extra={**identity, "reason": str(error)})
        except EwmsError as error:
            _log.warning("workflow_failed", extra={**identity, "reason": str(error)})
            await self._fail(str(error))
        except Exception as error:  # noqa: BLE001  a mistake of ours: the other workflows go on
            _log.exception("workflow_failed", extra=identity)
            await self._fail(f"the driver host met {type(error).__name__}: {error}; see its log, then resume the workflow")

    async def _live(self) -> None:
        failures = 0
        while not self._released.is_set():
            self._life = Life(self._record, self._services)
            try:
                ending = await self._life.run()
            except (MessageTooLarge, StaleEpoch, StoreFull):
                raise
            except (BrokerError, StoreError) as error:
                # Broker or store are away: that only delays. The next life goes on from the journal.
                _log.warning("workflow_interrupted", extra={"workflow": self._record.workflow_id, "reason": str(error)})
                await self._tell(str(error))
                await self._wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
                continue
            finally:
                self._life = None
            if ending is Ending.FINAL:
                return
        if not self._is_lost:
            await self._record.release()

    async def _tell(self, reason: str) -> None:
        """Say why nothing happens; the next life takes it back."""
        try:
            await self._record.update(reason=reason)
        except StaleEpoch:
            raise
        except StoreError as error:
            _log.warning("reason_untold", extra={"workflow": self._record.workflow_id, "reason": str(error)})

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()

    async def _fail(self, reason: str) -> None:
        """Tell why, however long the store is away: nobody else would take up the workflow while this host lives."""
        while not self._is_lost:
            try:
                await self._record.release(state=WorkflowState.FAILED, reason=reason, active=False)
            except StaleEpoch:
                return
            except StoreError as error:
                _log.warning("failure_untold", extra={"workflow": self._record.workflow_id, "reason": str(error)})
                await asyncio.sleep(_PAUSES[-1])
            else:
                return
