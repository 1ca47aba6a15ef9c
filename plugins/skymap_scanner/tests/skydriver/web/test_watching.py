"""Scans in a real browser, of a whole service: what people do and see, and who may not."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from playwright.async_api import Page, expect

from skymap_scanner.outputs.skyreader import parse_result
from skymap_scanner.skydriver.web.drawn_files import MAKERS
from tests.support.browser import SECONDS, browser, tab
from tests.support.conditions import until

expect.set_options(timeout=1000 * SECONDS)
# A whole service and two browsers share the machine with other tests: nothing here may depend on its speed.
pytestmark = pytest.mark.timeout(900)

_DROP = """([text, name]) => {
    const files = new DataTransfer();
    files.items.add(new File([text], name, { type: "application/json" }));
    const zone = document.getElementById("drop");
    for (const kind of ["dragenter", "dragover", "drop"]) {
        zone.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
    }
}"""


_CELLS = """() => {
    const documents = globalThis.Bokeh?.documents ?? [];
    const of = documents.find((one) => one.get_model_by_name("sky"))?.get_model_by_name("cells");
    if (!of) return { cells: 0, known: 0, finest: 0 };
    const { nside, height } = of.data;
    return { cells: nside.length, known: [...height].filter(Number.isFinite).length, finest: Math.max(0, ...nside) };
}"""


async def drawn_cells(page: Page) -> dict[str, int]:
    """What Bokeh holds of the whole sky: how many cells, how many of them with a value, and the finest."""
    found: dict[str, int] = await page.evaluate(_CELLS)
    return found


async def map_of_level(page: Page, nside: int) -> dict[str, int]:
    """The cells of the map that is drawn, as soon as a level is on it; the page's policy forbids to wait inside of it."""
    found: dict[str, int] = {}

    async def has_level() -> bool:
        found.update(await drawn_cells(page))
        return found["finest"] >= nside

    await until(has_level, f"nside {nside} on the map", SECONDS)
    return found


async def test_a_dropped_alert_becomes_a_map_that_sharpens_on_every_page(observatory: Any) -> None:
    ada, bob = observatory.token("ada"), observatory.token("bob")
    async with browser() as chromium, tab(chromium, observatory.url, ada) as mine:
        page = await mine.open("/skydriver/new")
        await mine.check_accessibility()
        await page.evaluate(_DROP, ["this is no alert", "alert.json"])
        await expect(page.locator("#file-trouble")).to_contain_text("This is no JSON")
        await page.get_by_role("button", name="Scan", exact=True).click()
        await expect(page.locator("#new-scan [role=alert]:visible").last).to_contain_text("Give the alert first")
        await page.evaluate(_DROP, [observatory.event(1), "alert.json"])
        await expect(page.locator("#file-words")).to_contain_text("event 1")
        await page.get_by_label("Reconstruction").select_option("gated")
        await page.get_by_label("Resolutions").fill("2:0, 16:8, 64:12")
        await page.get_by_label("Labels").fill("shift=night")
        await mine.picture("web-scan-new")
        await page.get_by_role("button", name="Scan", exact=True).click()
        await page.wait_for_url("**/skydriver/scans/*")
        await page.evaluate("window.isTheSame = true")
        await expect(page.locator("h1")).to_have_text("Run 999999, event 1")
        await expect(page.locator("#state")).to_have_text("Scanning")

        async with tab(chromium, observatory.url, bob, dark=True) as other:
            second = await other.open(page.url.removeprefix(observatory.url))
            await second.evaluate("window.isTheSame = true")
            numbers, cells = [], []
            for nside in (2, 16, 64):
                observatory.open(1, nside)
                cells += [await map_of_level(page, nside)]
                await map_of_level(second, nside)
                numbers.append(int(str(await page.locator("#scan").get_attribute("data-map"))))
                if nside < 64:
                    await mine.picture(f"web-scan-running-{nside}")
            assert [one["finest"] for one in cells] == [2, 16, 64]
            assert cells[0]["cells"] < cells[1]["cells"] < cells[2]["cells"]
            assert numbers[0] < numbers[1] < numbers[2]
            for one in (page, second):
                await expect(one.locator("#state")).to_have_text("Complete")
                await expect(one.locator("#map-number")).to_have_text("Finished map")
                assert await one.evaluate("window.isTheSame"), "the page was not loaded again"
            await expect(page.locator("#contours tbody tr")).to_have_count(3)
            await expect(page.locator("#levels")).to_contain_text("48 of 48")
            await second.locator("#event-words").wait_for()
            await other.picture("web-scan-dark", whole=True)
            await _without_rights(second, observatory, bob)


async def _without_rights(page: Page, observatory: Any, token: str) -> None:
    """Somebody else's scan can be looked at, and asked for anew, but not be changed."""
    await expect(page.get_by_role("button", name="Rescan")).to_be_visible()
    for name in ("Delete", "Cancel", "Add workers…"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    with observatory.client(token) as client:
        scan = page.url.rpartition("/")[2]
        answer = client.request("DELETE", f"/skydriver/scan/{scan}", json={"delete_completed_scan": True})
        assert answer.status_code == 403
        assert "ada's" in answer.json()["error"]


async def test_pixels_tell_what_was_found_and_pictures_can_be_taken_away(observatory: Any) -> None:
    for nside in (2, 16, 64):
        observatory.open(5, nside)
    scan = observatory.post(5, nsides={"2": 0, "16": 8, "64": 12})
    async with browser() as chromium, tab(chromium, observatory.url, observatory.operator) as opened:
        page = await opened.open(f"/skydriver/scans/{scan}")
        await expect(page.locator("#map-number")).to_have_text("Finished map")
        await map_of_level(page, 64)
        await page.locator("#zoom").hover()
        await page.wait_for_selector("#scan[data-vertices]")
        box = await page.locator("#zoom").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] / 2 + 5, box["y"] + box["height"] / 2 + 5)
        await expect(page.locator(".bk-Tooltip").first).to_contain_text("640, 20, -30 m")
        await opened.picture("web-scan-pixel")
        await page.mouse.move(5, 5)
        await page.locator("#event-words").wait_for()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Picture around the best fit").click()
        found = await download.value
        assert found.suggested_filename == "run00999999.evt000000000005.track_2_16_64.zoomed.png"
        content = await asyncio.to_thread(Path(await found.path()).read_bytes)
        assert content.startswith(b"\x89PNG")
        await opened.picture("web-scan", whole=True)
        await opened.check_accessibility()


async def test_a_scan_is_cancelled_and_deleted_by_its_owner(observatory: Any) -> None:
    token = observatory.token("eve")
    scan = observatory.post(2, token=token)
    async with browser() as chromium, tab(chromium, observatory.url, token) as opened:
        page = await opened.open(f"/skydriver/scans/{scan}")
        observatory.open(2, 1)
        await map_of_level(page, 1)
        await page.get_by_role("button", name="Add workers…").click()
        await page.get_by_label("Workers", exact=True).fill("3")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.locator("#clusters tbody tr")).to_have_count(2)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await expect(page.locator("#state")).to_have_text("Cancelled")
        await expect(page.locator("#map-number")).to_contain_text("Partial map")
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await page.wait_for_url("**/skydriver/scans")
        await expect(page.locator("#listing")).not_to_contain_text("event 2")
        await page.get_by_label("Deleted").select_option("with")
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_role("link", name="Run 999999, event 2")).to_be_visible()


async def test_a_failed_scan_says_why(observatory: Any) -> None:
    scan = observatory.post(3, reco_algo="broken")
    async with browser() as chromium, tab(chromium, observatory.url, observatory.operator, phone=True) as opened:
        page = await opened.open(f"/skydriver/scans/{scan}")
        await expect(page.locator("#state")).to_have_text("Failed")
        await expect(page.locator("#reason")).to_contain_text("there is no ice model for this season")
        await opened.picture("web-scan-failed-phone")
        await opened.check_accessibility()


async def test_two_scans_are_compared(observatory: Any) -> None:
    for nside in (2, 16, 64):
        observatory.open(4, nside)
    scans = [observatory.post(4, nsides=nsides) for nsides in ({"2": 0, "16": 8, "64": 12}, {"2": 0, "16": 8})]
    async with browser() as chromium, tab(chromium, observatory.url, observatory.operator) as opened:
        for scan in scans:
            page = await opened.open(f"/skydriver/scans/{scan}")
            await expect(page.locator("#map-number")).to_have_text("Finished map")
        await page.get_by_role("link", name="Compare…").click()
        await page.get_by_label("Second scan").fill(scans[0])
        await page.get_by_role("button", name="Compare").click()
        await page.wait_for_selector("#comparison[data-drawn]")
        await expect(page.locator("#verdict")).to_contain_text("They differ")
        await expect(page.locator("#regions tbody tr")).to_have_count(5)
        await opened.picture("web-scan-compare", whole=True)
        await opened.check_accessibility()
    await asyncio.to_thread(_files_are_those_of_the_map, observatory, scans[0])
    with observatory.client() as client:
        same = client.get("/skydriver/compare.json", params={"a": scans[0], "b": scans[0]}).json()
    assert same["close"]
    assert same["separation"] == 0
    assert same["regions"][0]["overlap"] == pytest.approx(1.0)


def _files_are_those_of_the_map(observatory: Any, scan: str) -> None:
    """Programs get the same from the stream, the routes beside it, and the files."""
    base = f"/skydriver/scans/{scan}"
    with observatory.client() as client:
        shown = client.get(f"{base}/map.json").json()
        with client.stream("GET", f"{base}/stream") as stream:
            lines = stream.iter_lines()
            kinds: dict[str, Any] = {}
            while kinds.keys() != {"standing", "map"}:
                line = next(lines)
                if line.startswith("event: "):
                    kinds[line.removeprefix("event: ")] = json.loads(next(lines).removeprefix("data: "))
        assert kinds["map"] == shown
        assert (kinds["standing"]["code"], kinds["standing"]["kind"]) == ("SCAN_HAS_FINAL_RESULT", "complete")
        assert kinds["standing"]["levels"][0] == {"nside": 2, "done": 48, "planned": 48}
        files = {name: client.get(f"{base}/files/{name}") for name in MAKERS}
        assert {name: answer.status_code for name, answer in files.items()} == dict.fromkeys(MAKERS, 200)
        assert all("attachment" in answer.headers["Content-Disposition"] for answer in files.values())
        result = parse_result(files["result.npz"].content, "result.npz")
        assert {nside: len(rows) for nside, rows in result.levels.items()} == {int(k): n for k, n in _pixels(shown).items()}
        assert Table.read(io.BytesIO(files["multiorder.fits"].content), format="fits").meta["ORDERING"] == "NUNIQ"
        kept = kinds["standing"]["files"]
        assert client.get(f"{base}/files/{kept[0]}").status_code == 200
        for name in ("inputs/event.json", "product/../inputs/event.json", "nothing.png"):
            assert client.get(f"{base}/files/{name}").status_code == 404


def _pixels(shown: dict[str, Any]) -> dict[str, int]:
    pixels: dict[str, int] = shown["overview"]["pixels"]
    return pixels
