"""Starts the scans of alerts that are kept: what the policy says, each once, however often this is tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakValueDictionary

from ewms.services import Conflict, EwmsError, Insert, NotFound, Query, Replace
from skymap_scanner.event import EventHeader
from skymap_scanner.outputs.names import base_name
from skymap_scanner.skydriver.auto.alert import AlertDocument, PlannedScan, pause_after
from skymap_scanner.skydriver.auto.collections import ALERTS, PUBLICATIONS
from skymap_scanner.skydriver.auto.documents import change, load
from skymap_scanner.skydriver.auto.facts import Facts
from skymap_scanner.skydriver.auto.policy_keeper import PolicyKeeper
from skymap_scanner.skydriver.auto.ports import Documents, Scanner
from skymap_scanner.skydriver.auto.publication import PublicationDocument

_LONGEST_PAUSE = 60.0
_AT_ONCE = 8
_READ_AT_ONCE = 500
_log = logging.getLogger("ewms.service")


class Starting:
    """Decides on alerts and starts their scans.

    Parameters
    ----------
    now
        Seconds since 1970.
    """

    def __init__(self, documents: Documents, scanner: Scanner, policy: PolicyKeeper, now: Callable[[], float]) -> None:
        self._documents = documents
        self._scanner = scanner
        self._policy = policy
        self._now = now
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self, alert_id: str) -> AlertDocument:
        """Decide on an alert and start its scans, as far as that was not done; the alert as it is then.

        Where it cannot be done now, the alert says why, and `due` will find it again.

        Raises
        ------
        StoreError
            The store is away: nobody can say how the alert stands.
        """
        lock = self._locks.setdefault(alert_id, asyncio.Lock())
        async with lock, self._room:
            try:
                return await self._start(alert_id)
            except EwmsError as error:
                return await self._put_off(alert_id, str(error))

    async def due(self) -> list[str]:
        """Alerts that are to be tried now, the oldest first."""
        query = Query.parse({"state": "waiting"})
        order = (("state", False), ("received", False))
        found: list[str] = []
        after: str | None = None
        while len(found) < _READ_AT_ONCE:
            page = await self._documents.find(ALERTS, query, order=order, after=after, limit=_READ_AT_ONCE)
            found += [stored.key for stored in page.items if stored.body["due"] <= self._now()]
            if (after := page.after) is None:
                break
        return found

    async def decide_again(self, alert_id: str) -> AlertDocument:
        """Have the policy of now decide on an alert, whatever was decided before; scans that were started go on.

        Raises
        ------
        NotFound
            There is no such alert.
        """

        def undecided(alert: AlertDocument) -> AlertDocument:
            fresh = {"state": "waiting", "policy": None, "rule": None, "problem": "", "failures": 0, "due": 0.0}
            return alert.model_copy(update=fresh | {"decision": alert.decision + 1})

        await change(self._documents, ALERTS, alert_id, AlertDocument, undecided)
        return await self.start(alert_id)

    async def _start(self, alert_id: str) -> AlertDocument:
        alert = await load(self._documents, ALERTS, alert_id, AlertDocument)
        if alert.state == "waiting" and alert.policy is None:
            alert = await self._decide(alert_id)
        for number, scan in enumerate(alert.scans):
            if alert.state == "waiting" and scan.scan_id is None and scan.decision == alert.decision:
                scan_id = await self._scanner.start(alert, scan.plan, f"{alert_id}-{number}")
                alert = await self._record(alert_id, number, scan_id)
        return alert

    async def _decide(self, alert_id: str) -> AlertDocument:
        """Write down what is to be done, before any of it is: a policy that changes meanwhile changes nothing of it."""
        found = await asyncio.to_thread(self._policy.current)

        def decided(alert: AlertDocument) -> AlertDocument | None:
            if alert.policy is not None:
                return None
            rule = found.policy.rule_for(alert.facts)
            plans = () if rule is None else rule.scans
            scans = tuple(PlannedScan(plan=plan, decision=alert.decision) for plan in plans)
            return alert.model_copy(
                update={
                    "policy": found.version,
                    "rule": None if rule is None else rule.name,
                    "scans": (*alert.scans, *scans),
                    "publish": () if rule is None else rule.publish,
                    "state": "waiting" if scans else "ignored",
                }
            )

        alert = await change(self._documents, ALERTS, alert_id, AlertDocument, decided)
        extra = {"alert": alert_id, "rule": alert.rule, "policy": alert.policy, "scans": len(alert.current)}
        _log.info("alert_decided", extra=extra)
        return alert

    async def _record(self, alert_id: str, number: int, scan_id: str) -> AlertDocument:
        """Note that a scan was started, together with where its maps are to go."""
        while True:
            stored = await self._documents.get(ALERTS, alert_id)
            if stored is None:
                raise NotFound(f"alert {alert_id} is gone from the store")
            before = AlertDocument.model_validate(stored.body)
            if before.scans[number].scan_id is not None:
                return before
            after = _with_scan(before, number, scan_id)
            body = after.model_dump(mode="json")
            replace = Replace(collection=ALERTS, key=alert_id, version=stored.version, body=body)
            try:
                await self._documents.write(replace, *_publications(after, scan_id))
            except Conflict:
                continue
            _log.info("alert_scan_started", extra={"alert": alert_id, "scan": scan_id, "rule": after.rule})
            return after

    async def _put_off(self, alert_id: str, problem: str) -> AlertDocument:
        def later(alert: AlertDocument) -> AlertDocument:
            failures = alert.failures + 1
            due = self._now() + pause_after(failures, _LONGEST_PAUSE)
            return alert.model_copy(update={"failures": failures, "problem": problem, "due": due})

        alert = await change(self._documents, ALERTS, alert_id, AlertDocument, later)
        _log.error("alert_put_off", extra={"alert": alert_id, "reason": problem, "failures": alert.failures})
        return alert


def _with_scan(alert: AlertDocument, number: int, scan_id: str) -> AlertDocument:
    scans = list(alert.scans)
    scans[number] = scans[number].model_copy(update={"scan_id": scan_id})
    after = alert.model_copy(update={"scans": tuple(scans), "problem": "", "failures": 0, "due": 0.0})
    is_done = all(scan.scan_id is not None for scan in after.current)
    return after.model_copy(update={"state": "started"}) if is_done else after


def _publications(alert: AlertDocument, scan_id: str) -> list[Insert]:
    found = []
    for target in alert.publish:
        publication = PublicationDocument(
            publication_id=f"{scan_id}.{target}",
            alert_id=alert.alert_id,
            scan_id=scan_id,
            rule=alert.rule or "",
            target=target,
            event=event_name(alert.facts),
        )
        body = publication.model_dump(mode="json")
        found.append(Insert(collection=PUBLICATIONS, key=publication.publication_id, body=body))
    return found


def event_name(facts: Facts) -> str:
    """Name of an event as files have it, for example `run00118000.evt000000000007.gold`."""
    header = EventHeader(run_id=facts.run, event_id=facts.event, mjd=facts.mjd, event_type=facts.type, is_real=facts.real)
    return base_name(header, ())
