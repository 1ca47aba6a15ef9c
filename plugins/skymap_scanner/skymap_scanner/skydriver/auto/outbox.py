"""Sends what is to be published: at least once, in order for each target, until the target has it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial

from ewms.services import EwmsError, NotFound, Query
from skymap_scanner.skydriver.auto.alert import pause_after
from skymap_scanner.skydriver.auto.collections import PUBLICATIONS
from skymap_scanner.skydriver.auto.documents import change, find_all, load
from skymap_scanner.skydriver.auto.parcel import parcel_of
from skymap_scanner.skydriver.auto.policy import Stage, Target
from skymap_scanner.skydriver.auto.policy_keeper import PolicyKeeper
from skymap_scanner.skydriver.auto.ports import Documents, Scanner
from skymap_scanner.skydriver.auto.publication import PublicationDocument
from skymap_scanner.skydriver.auto.spool import Spool
from skymap_scanner.skydriver.auto.targets import AT_ONCE, Targets

_LONGEST_PAUSE = 300.0
_log = logging.getLogger("ewms.service")
_MODEL = PublicationDocument


class Outbox:
    """One publication is sent by one task at a time.

    Parameters
    ----------
    now
        Seconds since 1970.
    """

    def __init__(
        self,
        documents: Documents,
        scanner: Scanner,
        *,
        policy: PolicyKeeper,
        spool: Spool,
        targets: Targets,
        now: Callable[[], float],
    ) -> None:
        self._documents = documents
        self._scanner = scanner
        self._policy = policy
        self._spool = spool
        self._targets = targets
        self._now = now
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._per_target: Counter[str] = Counter()
        self.freed = asyncio.Event()
        """Set when one was sent, or put off."""

    async def send_due(self) -> None:
        """Begin with everything that is due; targets that are busy get no more for now."""
        query = Query.parse({"state": "open", "due": {"$lte": self._now()}})
        async for publication in find_all(self._documents, PUBLICATIONS, query, _MODEL):
            key, target = publication.publication_id, publication.target
            if key in self._under_way or self._per_target[target] >= AT_ONCE:
                continue
            self._per_target[target] += 1
            task = self._under_way[key] = asyncio.create_task(self.send(key))
            task.add_done_callback(partial(self._ended, key, target))

    async def close(self) -> None:
        """End what is under way; it is sent again some day."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def send(self, publication_id: str) -> None:
        """Send everything that one target is to have of one scan by now, or put it off."""
        while (stage := (publication := await load(self._documents, PUBLICATIONS, publication_id, _MODEL)).stage) != "":
            try:
                target = await self._target(publication)
                if stage in target.stages:
                    await self._send(publication, stage, target)
            except FileNotFoundError:
                if (await load(self._documents, PUBLICATIONS, publication_id, _MODEL)).partial > publication.partial:
                    continue  # it has given way to a newer one
                _log.warning("partial_result_lost", extra={"publication": publication_id, "partial": publication.partial})
            except EwmsError as error:
                await self._put_off(publication, str(error))
                return
            await self._sent(publication, stage)
        await change(self._documents, PUBLICATIONS, publication_id, _MODEL, _idle)

    async def _target(self, publication: PublicationDocument) -> Target:
        found = await asyncio.to_thread(self._policy.current)
        target = found.policy.targets.get(publication.target)
        if target is None:
            raise NotFound(
                f"{found.where} has no target '{publication.target}' any more; write it again, or drop the publication"
            )
        return target

    async def _send(self, publication: PublicationDocument, stage: Stage, target: Target) -> None:
        parcel = parcel_of(publication, stage, await self._files(publication, stage), target.files)
        # That a scan failed is other news than its map, which may follow: whoever knows repeats by their id must get both.
        news = f"partial.{publication.partial}" if stage == "partial" else publication.ended.replace("complete", "final")
        delivery_id = f"{publication.publication_id}.{news}"
        link = await self._scanner.link(publication.scan_id, stage)
        await self._targets.send(publication.target, target, parcel, delivery_id, link)

    async def _files(self, publication: PublicationDocument, stage: Stage) -> dict[str, bytes]:
        if stage == "partial":
            return await asyncio.to_thread(self._spool.get, publication.scan_id, publication.partial)
        if publication.ended != "complete":
            return {}
        return await self._scanner.files(publication.scan_id, "final")

    async def _sent(self, publication: PublicationDocument, stage: Stage) -> None:
        def noted(found: PublicationDocument) -> PublicationDocument:
            fresh = {"problem": "", "failures": 0}
            if stage == "partial":
                return found.model_copy(update=fresh | {"partial_sent": max(found.partial_sent, publication.partial)})
            if publication.ended == "failed":  # somebody may mend it, and then there is a map
                return found.model_copy(update=fresh | {"ended": "", "failure_sent": True})
            return found.model_copy(update=fresh | {"state": "done", "due": None})

        after = await change(self._documents, PUBLICATIONS, publication.publication_id, _MODEL, noted)
        facts = {"publication": publication.publication_id, "target": publication.target, "stage": stage}
        _log.info("map_published", extra=facts)
        if after.state == "done" and not await self._is_awaited(publication.scan_id):
            await asyncio.to_thread(self._spool.forget, publication.scan_id)

    async def _is_awaited(self, scan_id: str) -> bool:
        return await self._documents.count(PUBLICATIONS, Query.parse({"scan_id": scan_id, "state": "open"})) > 0

    async def _put_off(self, publication: PublicationDocument, problem: str) -> None:
        def later(found: PublicationDocument) -> PublicationDocument:
            failures = found.failures + 1
            due = self._now() + pause_after(failures, _LONGEST_PAUSE)
            return found.model_copy(update={"failures": failures, "problem": problem, "due": due})

        after = await change(self._documents, PUBLICATIONS, publication.publication_id, _MODEL, later)
        facts = {"publication": publication.publication_id, "reason": problem, "failures": after.failures}
        _log.warning("publication_put_off", extra=facts)

    def _ended(self, key: str, target: str, done: asyncio.Task[None]) -> None:
        del self._under_way[key]
        self._per_target[target] -= 1
        self.freed.set()
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("publication_unsettled", extra={"publication": key, "reason": str(error)})


def _idle(publication: PublicationDocument) -> PublicationDocument:
    """Nothing is due where there is nothing to send."""
    return publication.model_copy(update={"due": None}) if publication.stage == "" else publication
