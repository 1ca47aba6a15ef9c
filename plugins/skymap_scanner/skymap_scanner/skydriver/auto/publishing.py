"""Notes what is to be published, as scans get on: partial maps first, then the finished one, or that there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ewms.services import Conflict, Insert, Query, Replace
from skymap_scanner.skydriver.auto.collections import PUBLICATIONS
from skymap_scanner.skydriver.auto.documents import change, find_all
from skymap_scanner.skydriver.auto.policy import Stage
from skymap_scanner.skydriver.auto.policy_file import PolicyError
from skymap_scanner.skydriver.auto.policy_keeper import PolicyKeeper
from skymap_scanner.skydriver.auto.ports import Documents, Progress, Scanner
from skymap_scanner.skydriver.auto.publication import PublicationDocument
from skymap_scanner.skydriver.auto.spool import Spool


class Publishing:
    """Follows scans whose maps somebody wants.

    Parameters
    ----------
    partial_every
        Seconds between partial results of one scan, after the first.
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
        partial_every: float,
        now: Callable[[], float],
    ) -> None:
        self._documents = documents
        self._scanner = scanner
        self._policy = policy
        self._spool = spool
        self._partial_every = partial_every
        self._now = now

    async def awaited(self) -> set[str]:
        """The scans whose maps somebody still waits for."""
        query = Query.parse({"state": "open"})
        return {publication.scan_id async for publication in find_all(self._documents, PUBLICATIONS, query, _MODEL)}

    async def note(self, scan_id: str) -> bool:
        """Look at how far a scan is; whether anything is to be sent now."""
        query = Query.parse({"scan_id": scan_id, "state": "open"})
        found = [publication async for publication in find_all(self._documents, PUBLICATIONS, query, _MODEL)]
        if not found:
            return False
        progress = await self._scanner.progress(scan_id)
        if progress.replaced_by:
            for publication in found:
                await self._hand_over(publication.publication_id, progress.replaced_by)
            return await self.note(progress.replaced_by)
        if progress.ended:
            return any([await self._end(publication, progress) for publication in found])
        for publication in found:
            if publication.failure_sent:
                await change(self._documents, PUBLICATIONS, publication.publication_id, _MODEL, _resumed)
        return await self._keep(found, progress.partial)

    async def _keep(self, publications: list[PublicationDocument], number: int) -> bool:
        """Keep the partial result of now for those that want one and have waited long enough."""
        wanting = [publication for publication in publications if self._wants_partial(publication, number)]
        if not wanting:
            return False
        scan_id = wanting[0].scan_id
        files = await self._scanner.files(scan_id, "partial")
        if not files:
            return False
        await asyncio.to_thread(self._spool.put, scan_id, number, files)

        def kept(publication: PublicationDocument) -> PublicationDocument | None:
            if publication.partial >= number or publication.ended:
                return None
            due = publication.due if publication.failures and publication.due is not None else self._now()
            return publication.model_copy(update={"partial": number, "partial_time": self._now(), "due": due})

        for publication in wanting:
            await change(self._documents, PUBLICATIONS, publication.publication_id, _MODEL, kept)
        await asyncio.to_thread(self._spool.forget_before, scan_id, number)
        return True

    def _wants_partial(self, publication: PublicationDocument, number: int) -> bool:
        has_waited = publication.partial == 0 or self._now() - publication.partial_time >= self._partial_every
        return number > publication.partial and has_waited and self._wants(publication, "partial")

    def _wants(self, publication: PublicationDocument, stage: Stage) -> bool:
        try:
            target = self._policy.current().policy.targets.get(publication.target)
        except PolicyError:
            return True  # it may, once somebody has mended the policy
        return target is None or stage in target.stages

    async def _hand_over(self, publication_id: str, scan_id: str) -> None:
        """Have the scan that took another's place take its publication, too."""
        while (stored := await self._documents.get(PUBLICATIONS, publication_id)) is not None:
            old = _MODEL.model_validate(stored.body)
            done = old.model_copy(update={"state": "done", "due": None, "reason": f"replaced by scan {scan_id}"})
            new = _MODEL(
                publication_id=f"{scan_id}.{old.target}",
                alert_id=old.alert_id,
                scan_id=scan_id,
                rule=old.rule,
                target=old.target,
                event=old.event,
            )
            changes: list[Insert | Replace] = [
                Replace(
                    collection=PUBLICATIONS, key=publication_id, version=stored.version, body=done.model_dump(mode="json")
                )
            ]
            if await self._documents.get(PUBLICATIONS, new.publication_id) is None:
                changes.append(Insert(collection=PUBLICATIONS, key=new.publication_id, body=new.model_dump(mode="json")))
            try:
                await self._documents.write(*changes)
            except Conflict:
                continue  # it was sent meanwhile, or somebody else was faster
            break
        await asyncio.to_thread(self._spool.forget, publication_id.partition(".")[0])

    async def _end(self, publication: PublicationDocument, progress: Progress) -> bool:
        def ended(found: PublicationDocument) -> PublicationDocument | None:
            if found.ended or (found.failure_sent and progress.ended == "failed"):
                return None
            due = found.due if found.failures and found.due is not None else self._now()
            return found.model_copy(update={"ended": progress.ended, "reason": progress.reason, "due": due})

        after = await change(self._documents, PUBLICATIONS, publication.publication_id, _MODEL, ended)
        return after.due is not None


_MODEL = PublicationDocument


def _resumed(publication: PublicationDocument) -> PublicationDocument:
    """A scan that failed is at work again."""
    return publication.model_copy(update={"failure_sent": False})
