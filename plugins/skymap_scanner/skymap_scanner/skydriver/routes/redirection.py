"""Calls on a scan that was replaced go on to the one that took its place."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import HTTPException, Request

from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.scans import Scans

_LONGEST_CHAIN = 100


async def current(scans: Scans, request: Request, scan_id: str, *, no_redirect: bool) -> ScanDocument:
    """The scan that a call is about.

    Raises
    ------
    HTTPException
        307, where it was replaced: the same call on the scan that stands at the end of the chain.
    NotFound
        There is none.
    """
    scan = newest = await scans.get(scan_id)
    for _ in range(_LONGEST_CHAIN):
        if no_redirect or newest.replaced_by_scan_id is None:
            break
        newest = await scans.get(newest.replaced_by_scan_id)
    if newest is scan:
        return scan
    path = request.url.path.replace(f"/{scan_id}", f"/{newest.scan_id}", 1)
    query = f"?{request.url.query}" if request.url.query else ""
    words = f"scan {scan_id} was replaced by {newest.scan_id}; ask with no_redirect=true for the old one"
    raise HTTPException(HTTPStatus.TEMPORARY_REDIRECT, words, headers={"Location": path + query})
