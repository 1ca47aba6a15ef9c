"""Automated scanning as a whole: what runs beside the routes, and what they ask of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException

from ewms.services import EwmsError, PluginHost
from skymap_scanner.skydriver.auto.alert import AlertDocument, Way, pause_after
from skymap_scanner.skydriver.auto.folder import WatchedFolder
from skymap_scanner.skydriver.auto.intake import Intake, Receipt
from skymap_scanner.skydriver.auto.outbox import Outbox
from skymap_scanner.skydriver.auto.policy_file import PolicyError
from skymap_scanner.skydriver.auto.policy_keeper import PolicyKeeper
from skymap_scanner.skydriver.auto.ports import Scanner
from skymap_scanner.skydriver.auto.publishing import Publishing
from skymap_scanner.skydriver.auto.settings import AutoSettings
from skymap_scanner.skydriver.auto.signature import check_signature
from skymap_scanner.skydriver.auto.spool import Spool
from skymap_scanner.skydriver.auto.starting import Starting
from skymap_scanner.skydriver.auto.targets import Targets
from skymap_scanner.skydriver.submission import SCAN_LABEL

_LOOK_SECONDS = 0.3
_PATIENCE_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_SEND_SECONDS = 1.0
_LOOK_ANEW_SECONDS = 10.0
_LONGEST_PAUSE = 30.0
_log = logging.getLogger("ewms.service")
_Loop = Callable[[], Coroutine[Any, Any, None]]


class Automation:
    """One for a service.

    Parameters
    ----------
    scanner
        Starts scans and has their files.
    """

    def __init__(self, host: PluginHost, scanner: Scanner, settings: AutoSettings) -> None:
        self._host = host
        self._settings = settings
        self._secret = None if settings.webhook_secret is None else host.secret(settings.webhook_secret).encode()
        self.policy = PolicyKeeper(settings.policy)
        self.store = host.store
        self._intake = Intake(host.store, scanner, host.now)
        self._starting = Starting(host.store, scanner, self.policy, host.now)
        spool = Spool(host.data / "partial")
        self._publishing = Publishing(
            host.store,
            scanner,
            policy=self.policy,
            spool=spool,
            partial_every=settings.partial_every,
            now=host.now,
        )
        self._targets = Targets(host.deliver)
        self._outbox = Outbox(host.store, scanner, policy=self.policy, spool=spool, targets=self._targets, now=host.now)
        self._to_send = asyncio.Event()
        self._awaited: set[str] = set()
        self._failing: dict[str, str] = {}
        self._folder = (
            None
            if settings.watch is None
            else WatchedFolder(settings.watch, self._from_folder, patience=_PATIENCE_SECONDS, clock=time.monotonic)
        )

    async def take(self, data: bytes, way: Way, sender: str, owner: str | None = None) -> Receipt:
        """Keep an alert, and start its scans as far as that can be done now; the rest is done later.

        Parameters
        ----------
        owner
            Whose its scans are; None for what the settings say.

        Raises
        ------
        EventError
            It is no alert.
        StoreError
            It was not kept.
        """
        name = owner or self._settings.owner or self._host.caller.name
        receipt = await self._intake.take(data, way=way, sender=sender, owner=name)
        if receipt.alert.state != "waiting":
            return receipt
        with contextlib.suppress(EwmsError):  # it is kept; `run` goes on with it
            return Receipt(await self._started(receipt.alert.alert_id), receipt.is_new)
        return receipt

    async def decide_again(self, alert_id: str) -> AlertDocument:
        """Have the policy of now decide on an alert; see `Starting.decide_again`."""
        alert = await self._starting.decide_again(alert_id)
        self._await(alert)
        return alert

    def check_signature(self, body: bytes, signature: str | None, timestamp: str | None) -> bool:
        """Return False where alerts are not taken by webhook; `Unauthenticated` for one that is not signed well."""
        if self._secret is None:
            return False
        check_signature(self._secret, body, signature, timestamp, self._host.now())
        return True

    async def run(self) -> None:
        """Do what is to be done beside the routes, until the service stops."""
        with contextlib.suppress(PolicyError):  # alerts are kept until there is a right one
            await asyncio.to_thread(self.policy.current)
        loops: dict[str, _Loop] = {
            "alerts": self._start_due,
            "scans": self._follow,
            "maps": self._look_anew,
            "publications": self._send,
        }
        if self._folder is not None:
            loops["folder"] = partial(self._watch, self._folder)
        try:
            async with asyncio.TaskGroup() as group:
                for name, loop in loops.items():
                    group.create_task(self._kept(name, loop))
        finally:
            await self._outbox.close()
            self._targets.close()

    @property
    def troubles(self) -> list[str]:
        """What does not go well at the moment, each in one line."""
        found = [self.policy.trouble, "" if self._folder is None else self._folder.trouble, *self._failing.values()]
        return [trouble for trouble in dict.fromkeys(found) if trouble]

    async def _kept(self, name: str, loop: _Loop) -> None:
        """Begin a loop again where the store was away, or whatever else does not last."""
        failures = 0
        while not self._host.stopping.is_set():
            try:
                await loop()
                return
            except (EwmsError, HTTPException) as error:
                failures += 1
                self._failing[name] = f"{name}: {error}"
                _log.error("automation_failed", extra={"loop": name, "reason": str(error)})
            await self._stops_within(pause_after(failures, _LONGEST_PAUSE))
            self._failing.pop(name, None)

    async def _started(self, alert_id: str) -> AlertDocument:
        alert = await self._starting.start(alert_id)
        self._await(alert)
        return alert

    def _await(self, alert: AlertDocument) -> None:
        if alert.publish:
            self._awaited |= {scan.scan_id for scan in alert.scans if scan.scan_id is not None}

    async def _from_folder(self, data: bytes, name: str) -> None:
        await self.take(data, "folder", name)

    async def _watch(self, folder: WatchedFolder) -> None:
        while not await self._stops_within(_LOOK_SECONDS):
            await folder.look()

    async def _start_due(self) -> None:
        """Go on with alerts whose scans could not be started when they came, or before the service died."""
        while True:
            found = await self._starting.due()
            await asyncio.gather(*(self._started(alert_id) for alert_id in found))
            if await self._stops_within(_RETRY_SECONDS):
                return

    async def _follow(self) -> None:
        """Note what is to be published, whenever a scan changes."""
        async for workflow in self._host.changes(None):
            if (scan_id := workflow.labels.get(SCAN_LABEL)) in self._awaited:
                await self._note(str(scan_id))

    async def _look_anew(self) -> None:
        """Look at every scan whose maps somebody waits for: what changed before the service came, or unseen."""
        while True:
            self._awaited = await self._publishing.awaited()
            for scan_id in sorted(self._awaited):
                await self._note(scan_id)
            if await self._stops_within(_LOOK_ANEW_SECONDS):
                return

    async def _note(self, scan_id: str) -> None:
        if await self._publishing.note(scan_id):
            self._to_send.set()

    async def _send(self) -> None:
        while not self._host.stopping.is_set():
            self._to_send.clear()
            await self._outbox.send_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SEND_SECONDS):
                    await self._to_send.wait()

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._host.stopping.wait()
        return self._host.stopping.is_set()
