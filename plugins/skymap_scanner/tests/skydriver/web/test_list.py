"""The list of scans: pages with exact totals over ten thousand, search, and nothing of what people write is ever HTML."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from ewms.services import Insert
from skymap_scanner.skydriver.documents import RecoUsed, ScanDocument
from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.plugin import SkyDriver
from tests.support.browser import SECONDS, browser, require_chromium, tab
from tests.support.service import RunningService, service_with

expect.set_options(timeout=1000 * SECONDS)
pytestmark = pytest.mark.timeout(900)
HTML = {"Accept": "text/html"}
HOSTILE = "<img src=x onerror=alert(1)>"
MANY = 10_000


def scan(number: int, **changes: Any) -> ScanDocument:
    """A finished scan; later numbers are newer."""
    fields: dict[str, Any] = {
        "scan_id": f"{number:032x}",
        "timestamp": 1.7e9 + number,
        "scanner_server_args": "",
        "ewms_workflow_id": f"WF-{number:08x}-00000000",
        "i3_event_id": f"{number:064x}",
        "event_metadata": {
            "run_id": 100_000 + number,
            "event_id": number,
            "event_type": "gold",
            "mjd": 60000.0,
            "is_real_event": True,
        },
        "owner": "ada" if number % 2 else "bob",
        "order": ScanOrder(reco_algo="mpe"),
        "reco": RecoUsed(requested="mpe", used="mpe"),
        "content_digest": "",
        "outcome": "complete",
        "overview": {"best_fit": {"ra": 10.0, "dec": -5.0}, "contours": {"wilks": {"90": {"area": 0.5}}}},
    }
    return ScanDocument(**fields | changes)


@asynccontextmanager
async def service_of(folder: Path, *scans: ScanDocument) -> AsyncIterator[RunningService]:
    async with service_with({"skydriver": SkyDriver()}, folder) as service:
        changes = [Insert(collection="skydriver_scans", key=one.scan_id, body=one.model_dump(mode="json")) for one in scans]
        for first in range(0, len(changes), 1000):
            await service.state.store.write(*changes[first : first + 1000])
        yield service


def shown(page: str) -> tuple[str, list[str]]:
    """What the list says of its length, and the runs on it."""
    count = re.search(r"<span>([^<]*) of ([^<]*) scans", page)
    assert count is not None, page
    return count[2].replace("\u202f", ""), re.findall(r'class="name"[^>]*>Run (\d+)', page)


async def test_ten_thousand_scans_are_paged_with_an_exact_total(tmp_path: Path) -> None:
    scans = [scan(number, outcome="failed" if number % 10 == 0 else "complete") for number in range(MANY)]
    async with service_of(tmp_path, *scans) as service, service.client() as client:
        first = (await client.get("/skydriver/scans", headers=HTML)).text
        total, runs = shown(first)
        assert total == str(MANY)
        assert runs == [str(100_000 + number) for number in range(MANY - 1, MANY - 51, -1)]
        older = re.search(r'rel="next" href="([^"]*)"', first)
        assert older is not None
        total, runs = shown((await client.get(older[1].replace("&amp;", "&"), headers=HTML)).text)
        assert (total, runs[0]) == (str(MANY), str(100_000 + MANY - 51))
        total, runs = shown((await client.get("/skydriver/scans?state=failed", headers=HTML)).text)
        assert (total, runs[0]) == ("1000", "109990")
        total, runs = shown((await client.get("/skydriver/scans?q=107777", headers=HTML)).text)
        assert (total, runs) == ("1", ["107777"])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("q=gold", [3, 1]),
        ("q=GOLD", [3, 1]),
        ("q=bob", [4, 2]),
        ("q=shift=night", [2]),
        ("q=pixel=7", [3]),
        ("kind=track", [4, 3, 1]),
        ("kind=shower", [2]),
        ("state=failed", [4]),
        ("deleted=1", [5, 4, 3, 2, 1]),
        (f"q={2:032x}", [2]),
        ("q=100003&state=complete", [3]),
    ],
)
async def test_scans_are_found_by_what_people_remember(tmp_path: Path, query: str, numbers: list[int]) -> None:
    about = {"run_id": 100_002, "event_id": 2, "event_type": "bronze", "mjd": 6e4, "is_real_event": False}
    shower = {"best_fit": None, "note": "shower-like event: the map tells nothing about its direction"}
    scans = [
        scan(1),
        scan(2, event_metadata=about, classifiers={"shift": "night"}, overview=shower),
        scan(3, classifiers={"pixel": 7}),
        scan(4, event_metadata=about | {"run_id": 100_004}, outcome="failed", reason="the ice melted"),
        scan(5, is_deleted=True),
    ]
    async with service_of(tmp_path, *scans) as service, service.client() as client:
        page = (await client.get(f"/skydriver/scans?{query}", headers=HTML)).text
        total, runs = shown(page)
        assert (total, runs) == (str(len(numbers)), [str(100_000 + number) for number in numbers])
        assert ("the ice melted" in page) == (4 in numbers)
        rows = (await client.get(f"/skydriver/scans/rows?{query}", headers=HTML)).text
        assert shown(rows) == (total, runs)
        assert "<html" not in rows


async def test_what_people_write_is_never_html(tmp_path: Path) -> None:
    require_chromium()
    hostile = scan(1, classifiers={HOSTILE: HOSTILE}, outcome="failed", reason=HOSTILE, owner=HOSTILE)
    strange = scan(2, event_metadata={"run_id": 100_002, "event_id": 2, "event_type": HOSTILE}, rescan_of=HOSTILE)
    async with (
        service_of(tmp_path, hostile, strange) as service,
        browser() as chromium,
        tab(chromium, service.url, phone=True) as opened,
    ):
        page = await opened.open(f"/skydriver/scans?q=%22%3E{HOSTILE}")
        await expect(page.get_by_text("No scan is like that.")).to_be_visible()
        for path in ("/skydriver/scans", f"/skydriver/compare?a={HOSTILE}&b=x", f"/skydriver/scans/{hostile.scan_id}"):
            with opened.tolerating_errors_of_the_service():
                await opened.open(path)
                await expect(page.locator("main")).to_be_visible()
            assert await page.locator("img[src=x]").count() == 0
        await opened.open("/skydriver/scans")
        await expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing leaves the phone"
        await opened.picture("web-scans-phone")
        await opened.check_accessibility()


async def test_addresses_that_name_no_scan_say_so(tmp_path: Path) -> None:
    async with service_of(tmp_path) as service, service.client() as client:
        assert "No scan yet" in (await client.get("/skydriver/scans", headers=HTML)).text
        for path in ("", "/stream", "/map.json", "/event.json", "/files/fullsky.png", "/vertices.json", "/standing.json"):
            answer = await client.get(f"/skydriver/scans/{0:032x}{path}")
            assert answer.status_code == 404, path
            assert "there is no scan" in answer.json()["error"]
        assert (await client.get("/skydriver/scans/backlog")).json() is not None, "SkyDriver's own path"
        after = await client.get("/skydriver/scans?after=nonsense")
        assert after.status_code == 400
