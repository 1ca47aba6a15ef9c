"""A whole service with real pilots, operated from a browser: the printed link, cancel, and a dead letter after a fix."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.browser import SECONDS, tab
from tests.support.dev_tree import DevTree, dev_tree

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
expect.set_options(timeout=1000 * SECONDS)
CODE = b"""
import os, sys, time

def measure(body):
    if body["id"] == 3 and not os.path.exists(body["calibration"]):
        print("looking for", body["calibration"], file=sys.stderr)
        raise FileNotFoundError("there is no calibration for frame 3")
    return body["id"]

def wait(body):
    time.sleep(600)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tree(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DevTree]:
    with dev_tree(tmp_path_factory.mktemp("web") / "data") as running:
        yield running


async def submit(tree: DevTree, consumer: str, bodies: list[Any], **task: Any) -> str:
    token = (tree.folder / "secrets" / "operator.token").read_text()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=tree.url, headers=headers, timeout=SECONDS) as http:
        files = {}
        for name, data in {"code/work.py": CODE, "inputs/frames.jsonl": json_lines(bodies)}.items():
            files[name] = hashlib.sha256(data).hexdigest()
            (await http.put(f"/api/files/{files[name]}", content=data)).raise_for_status()
        step = {"name": "measure", "python": f"work:{consumer}", "input": "frames", **task}
        answer = await http.post("/api/workflows", json={"spec": {"name": consumer, "tasks": [step]}, "files": files})
        return str(answer.raise_for_status().json()["workflow_id"])


def json_lines(bodies: list[Any]) -> bytes:
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


async def test_the_printed_link_lets_a_browser_in(chromium: Browser, tree: DevTree) -> None:
    link = tree.said.split("in a browser: ")[1].split()[0]
    async with tab(chromium, tree.url) as opened:
        page = opened.page
        await page.goto(link)
        await expect(page).to_have_url(f"{tree.url}/ui/workflows")
        await expect(page.locator(".caller")).to_contain_text("operator")
        await opened.open("/ui/system")
        await expect(page.locator("h1")).to_contain_text("ready")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        with opened.tolerating_errors_of_the_service():
            await page.goto(link)
            await expect(page.get_by_role("alert")).to_contain_text("used before")


async def test_a_dead_letter_is_replayed_after_a_fix(chromium: Browser, tree: DevTree, tmp_path: Path) -> None:
    calibration = tmp_path / "calibration"
    bodies = [{"id": number, "calibration": str(calibration)} for number in range(6)]
    workflow_id = await submit(tree, "measure", bodies, retry={"max_failures": 1})
    async with tab(chromium, tree.url, (tree.folder / "secrets" / "operator.token").read_text()) as opened:
        page = await opened.open(f"/ui/workflows/{workflow_id}/letters")
        await expect(page.locator("h1 .state")).to_have_text("complete")
        letter = page.locator(".failure")
        await expect(letter).to_have_count(1)
        await expect(letter).to_contain_text("there is no calibration for frame 3")
        await letter.locator("details").first.locator("summary").first.click()
        await letter.get_by_text("stderr").click()
        await expect(letter.get_by_text("looking for")).to_be_visible()
        await opened.picture("dead-letter")
        await asyncio.to_thread(calibration.touch)
        await letter.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("There are no dead letters")).to_be_visible()
        await page.get_by_role("link", name="Overview").click()
        await expect(page.locator("[data-count=accepted]")).to_have_text("6")
        await expect(page.locator("[data-count=dead_lettered]")).to_have_text("0")
        await page.get_by_role("link", name="Files").click()
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name="outcomes.jsonl").click()
        product = await asyncio.to_thread(Path(await (await waiting.value).path()).read_text)
        assert len(product.splitlines()) == 6


async def test_a_running_workflow_is_paused_resumed_and_cancelled(chromium: Browser, tree: DevTree) -> None:
    workflow_id = await submit(tree, "wait", [{"id": 1}, {"id": 2}])
    async with tab(chromium, tree.url, (tree.folder / "secrets" / "operator.token").read_text()) as opened:
        page = await opened.open(f"/ui/workflows/{workflow_id}")
        await expect(page.locator("h1 .state")).to_have_text("running")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("h1 .state")).to_have_text("paused")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator("h1 .state")).to_have_text("running")
        await page.get_by_role("button", name="Cancel").click()
        dialog = page.locator("dialog.confirm")
        await expect(dialog).to_contain_text("Its pilots are stopped")
        await dialog.get_by_role("button", name="Leave it").click()
        await page.get_by_role("button", name="Cancel").click()
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(page.locator("h1 .state")).to_have_text("cancelled")
        await expect(page.locator("#actions button")).to_have_count(0)
        await expect(page.locator(".timeline")).to_contain_text("Cancelled")
