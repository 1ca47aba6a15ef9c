"""Routes of automated scanning: alerts in, and what became of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from fastapi import Query as Parameter

from ewms.services import ANYBODY, KNOWN, OPERATE, REQUEST, CallerOf, Delete, NotFound, Query, Rule
from skymap_scanner.skydriver.auto.alert import AlertDocument, State
from skymap_scanner.skydriver.auto.automation import Automation
from skymap_scanner.skydriver.auto.collections import ALERTS, PUBLICATIONS
from skymap_scanner.skydriver.auto.documents import load
from skymap_scanner.skydriver.auto.intake import Receipt
from skymap_scanner.skydriver.auto.policy_file import PolicyError
from skymap_scanner.skydriver.auto.publication import PublicationDocument
from skymap_scanner.skydriver.auto.signature import SIGNATURE, TIMESTAMP

RULES: Final[dict[str, Rule]] = {
    "GET /alerts": KNOWN,
    "POST /alerts": REQUEST,
    "POST /alerts/webhook": ANYBODY,
    "GET /alerts/{alert_id}": KNOWN,
    "POST /alerts/{alert_id}/actions/decide": OPERATE,
    "GET /publications": KNOWN,
    "DELETE /publications/{publication_id}": OPERATE,
    "GET /automation": KNOWN,
}
"""Who may call them; whoever sends a webhook is known by the signature."""
_PAGE: Final = 100
_Limit = Annotated[int, Parameter(ge=1, le=1000)]


def routes_of(automation: Automation) -> APIRouter:
    """All of them."""
    router = APIRouter(tags=["alerts"])
    _add_intakes(router, automation)
    _add_alerts(router, automation)
    _add_publications(router, automation)
    return router


def _add_intakes(router: APIRouter, automation: Automation) -> None:
    @router.post("/alerts", status_code=HTTPStatus.ACCEPTED)
    async def post_alert(request: Request, caller: CallerOf) -> dict[str, Any]:
        """Take an alert: the body is an i3live alert, or an event in the plugin's own JSON. It is scanned at once."""
        return _told(await automation.take(await request.body(), "post", caller.name, caller.name))

    @router.post("/alerts/webhook", status_code=HTTPStatus.ACCEPTED)
    async def post_webhook(
        request: Request,
        signature: Annotated[str | None, Header(alias=SIGNATURE)] = None,
        timestamp: Annotated[str | None, Header(alias=TIMESTAMP)] = None,
    ) -> dict[str, Any]:
        """Take an alert that is signed with the secret of the settings, as GitHub signs."""
        body = await request.body()
        if not automation.check_signature(body, signature, timestamp):
            raise NotFound("alerts are not taken by webhook here; an operator sets [plugins.skydriver] webhook_secret")
        return _told(await automation.take(body, "webhook", "webhook"))


def _add_alerts(router: APIRouter, automation: Automation) -> None:
    @router.get("/alerts")
    async def get_alerts(
        event: str | None = None, state: State | None = None, after: str | None = None, limit: _Limit = _PAGE
    ) -> dict[str, Any]:
        """Alerts, the newest first."""
        query = Query.parse({**({"event": event} if event else {}), **({"state": state} if state else {})})
        order = (("event", True), ("received", True)) if event else (("received", True),)
        page = await automation.store.find(ALERTS, query, order=order, after=after, limit=limit)
        total = await automation.store.count(ALERTS, query)
        return {"items": [stored.body for stored in page.items], "after": page.after, "total": total}

    @router.get("/alerts/{alert_id}")
    async def get_alert(alert_id: str) -> AlertDocument:
        """One alert: what was decided, and what became of it."""
        return await load(automation.store, ALERTS, alert_id, AlertDocument)

    @router.post("/alerts/{alert_id}/actions/decide", status_code=HTTPStatus.ACCEPTED)
    async def decide_again(alert_id: str) -> AlertDocument:
        """Have the policy of now decide anew; scans that were started go on."""
        return await automation.decide_again(alert_id)


def _add_publications(router: APIRouter, automation: Automation) -> None:
    @router.get("/publications")
    async def get_publications(
        state: str | None = None, scan_id: str | None = None, after: str | None = None, limit: _Limit = _PAGE
    ) -> dict[str, Any]:
        """What went, or is to go, to which target."""
        query = Query.parse({**({"state": state} if state else {}), **({"scan_id": scan_id} if scan_id else {})})
        page = await automation.store.find(PUBLICATIONS, query, after=after, limit=limit)
        total = await automation.store.count(PUBLICATIONS, query)
        return {"items": [stored.body for stored in page.items], "after": page.after, "total": total}

    @router.delete("/publications/{publication_id}")
    async def drop_publication(publication_id: str) -> PublicationDocument:
        """Send nothing more of it."""
        found = await load(automation.store, PUBLICATIONS, publication_id, PublicationDocument)
        await automation.store.write(Delete(collection=PUBLICATIONS, key=publication_id))
        return found

    @router.get("/automation")
    async def get_automation() -> dict[str, Any]:
        """How automated scanning stands."""
        return await _standing(automation)


async def _standing(automation: Automation) -> dict[str, Any]:
    try:
        found = automation.policy.current()
        policy: dict[str, Any] = {"file": found.where, "version": found.version}
        policy |= {"rules": [rule.name for rule in found.policy.rules], "targets": sorted(found.policy.targets)}
    except PolicyError:
        policy = {}
    waiting = await automation.store.count(ALERTS, Query.parse({"state": "waiting"}))
    to_send = await automation.store.count(PUBLICATIONS, Query.parse({"state": "open", "failures": {"$gt": 0}}))
    return {
        "policy": policy,
        "troubles": automation.troubles,
        "alerts_waiting": waiting,
        "publications_put_off": to_send,
    }


def _told(receipt: Receipt) -> dict[str, Any]:
    """What a sender wants to know."""
    alert = receipt.alert
    return {
        "alert_id": alert.alert_id,
        "is_duplicate": not receipt.is_new,
        "revision_of": alert.revision_of,
        "event": alert.event,
        "state": alert.state,
        "rule": alert.rule,
        "policy": alert.policy,
        "scans": [
            {"scan_id": scan.scan_id, "reco_algo": scan.plan.reco, "priority": scan.plan.priority} for scan in alert.current
        ],
        "publish": list(alert.publish),
        "problem": alert.problem,
    }
