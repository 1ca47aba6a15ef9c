"""Pages of scans."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from ewms.services import CallerOf
from skymap_scanner.recos.registry import reco_names
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.web.figures import prepare
from skymap_scanner.skydriver.web.rows import row_of, title_of
from skymap_scanner.skydriver.web.search import KINDS, STATES, ScanSearch, found

_SAID_OF_RECOS = {
    "mpe": "tracks",
    "spe": "tracks that begin in the detector",
    "cascade": "the vertex of showers",
    "dummy": "a test, no physics",
    "crash_dummy": "a test of crashes",
}
_WORKERS = 2
_RECENT = 20
Text = Annotated[str, Query(max_length=200)]
After = Annotated[str, Query(max_length=4000)]
ScanId = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z-]+$")]


def _search(q: Text = "", state: Text = "", kind: Text = "", deleted: Text = "", after: After = "") -> ScanSearch:
    """What the address of a list asks for."""
    return ScanSearch(text=q, state=state, kind=kind, deleted=bool(deleted), after=after)


Search = Annotated[ScanSearch, Depends(_search)]


class ScanPages:
    """What people see of scans.

    Parameters
    ----------
    scans
        All scans.
    """

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._host = scans.host
        self._preparing: asyncio.Task[None] | None = None

    def router(self) -> APIRouter:
        """Its routes."""
        router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        router.add_api_route("/scans", self.scans, methods=["GET"])
        router.add_api_route("/scans/rows", self.rows, methods=["GET"])
        router.add_api_route("/scans/{scan_id}", self.scan, methods=["GET"])
        router.add_api_route("/new", self.new, methods=["GET"])
        router.add_api_route("/compare", self.compare, methods=["GET"])
        return router

    async def scans(self, request: Request, caller: CallerOf, search: Search) -> HTMLResponse:
        """The list of scans."""
        self._prepare()
        return self._host.page(request, caller, "scans.html", **await self._listed(search), states=STATES, kinds=KINDS)

    async def rows(self, request: Request, caller: CallerOf, search: Search) -> HTMLResponse:
        """The part of the list that changes."""
        return self._host.page(request, caller, "rows.html", **await self._listed(search))

    async def scan(self, request: Request, caller: CallerOf, scan_id: ScanId) -> HTMLResponse:
        """One scan."""
        scan = await self._scans.get(scan_id)
        row = await row_of(self._scans, scan)
        return self._host.page(
            request,
            caller,
            "scan.html",
            **{name: row[name] for name in ("scan_id", "title", "kind", "words", "is_deleted")},
            subtitle=_subtitle(scan),
            replaced_by=scan.replaced_by_scan_id,
            origin=scan.rescan_of,
            facts=_facts(scan),
            workflow_id=scan.ewms_workflow_id if scan.is_requested else None,
            clusters=list(self._host.clusters()),
            may_change=self._scans.may_change(caller, scan),
        )

    async def new(self, request: Request, caller: CallerOf) -> HTMLResponse:
        """The form for a new scan."""
        self._prepare()
        recos = [(name, _SAID_OF_RECOS.get(name, "")) for name in reco_names()]
        return self._host.page(
            request, caller, "new.html", recos=recos, clusters=list(self._host.clusters()), workers=_WORKERS
        )

    async def compare(self, request: Request, caller: CallerOf, a: Text = "", b: Text = "") -> HTMLResponse:
        """Two scans side by side."""
        scans, _, _ = await found(self._host.store, ScanSearch(state="complete"))
        others = [
            {"scan_id": scan.scan_id, "title": title_of(scan), "reco": scan.order.reco_algo} for scan in scans[:_RECENT]
        ]
        fields = [("a", "First scan", a), ("b", "Second scan", b)]
        return self._host.page(request, caller, "compare.html", fields=fields, scans=others)

    def _prepare(self) -> None:
        """Whoever looks at a list looks at a map next."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(asyncio.to_thread(prepare))

    async def _listed(self, search: ScanSearch) -> dict[str, Any]:
        scans, after, total = await found(self._host.store, search)
        base = "/skydriver/scans"
        return {
            "search": search,
            "query": search.address(search.after),
            "scans": [await row_of(self._scans, scan) for scan in scans],
            "total": total,
            "next": f"{base}?{search.address(after)}" if after else None,
            "first": f"{base}?{search.address()}",
        }


def _subtitle(scan: ScanDocument) -> str:
    about = scan.event_metadata or {}
    words = [str(about.get("event_type") or ""), "" if about.get("is_real_event", True) else "simulated"]
    return ", ".join([word for word in words if word] + [f"by {scan.order.reco_algo}"])


def _facts(scan: ScanDocument) -> list[tuple[str, str]]:
    order = scan.order
    facts = [
        ("Scan", scan.scan_id),
        ("Owner", scan.owner),
        ("Reconstruction", order.reco_algo + ("" if scan.reco.used == order.reco_algo else f", run as {scan.reco.used}")),
        ("Resolutions", order.nsides.replace(",", ", ")),
        ("Priority", f"{scan.priority}{', urgent lane' if scan.priority >= 100 else ''}"),
        ("Longest time for a pixel", f"{order.max_pixel_reco_time} s"),
    ]
    facts += [(f"Label {name}", str(value)) for name, value in scan.classifiers.items()]
    return facts + [("Not applicable here", note) for note in order.not_applicable]
