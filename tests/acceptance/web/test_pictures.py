"""The pages of a service that is busy, as the documentation shows them: each without a complaint of console or axe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from ewms.wms.access.roles import Role
from tests.support import showcase
from tests.support.browser import SECONDS, tab
from tests.support.service import RunningService, running_service

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
expect.set_options(timeout=1000 * SECONDS)
STEPS, STEP_SECONDS, PER_STEP = 16, 0.7, 310


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    async with running_service(tmp_path_factory.mktemp("busy"), access={}, clusters=showcase.CLUSTERS) as running:
        yield running


async def test_a_busy_service_can_be_shown(chromium: Browser, busy: RunningService) -> None:
    workflow_id = await showcase.fill(busy.state)
    token = await busy.state.access.minted.mint("grace", Role.OPERATOR, label="laptop")
    base = f"/ui/workflows/{workflow_id}"
    async with (
        tab(chromium, busy.url, token) as light,
        tab(chromium, busy.url, token, dark=True) as dark,
        tab(chromium, busy.url, token, phone=True) as phone,
        tab(chromium, busy.url, token) as listing,
    ):
        for opened in (light, dark, phone):
            page = await opened.open(base)
            await expect(page.locator("#throughput canvas").first).to_be_visible()
        terminal = 12_400
        for step in range(STEPS):
            terminal += PER_STEP + 40 * (step % 3)
            await showcase.progress(busy.state, workflow_id, terminal)
            await asyncio.sleep(STEP_SECONDS)  # so that there is a course to be drawn; nothing waits for it
        total = f"{terminal + terminal - terminal // 9:,}".replace(",", "\u202f")
        for opened, name in ((light, "web-workflow"), (dark, "web-workflow-dark"), (phone, "web-workflow-phone")):
            await expect(opened.page.locator('dd [data-live="terminal"]')).to_have_text(total)
            await opened.page.mouse.move(0, 0)
            await opened.picture(name, whole=True)
        await expect(listing.page.locator(f"tr[data-workflow={workflow_id}] [data-live=terminal]")).to_have_text(total)
        await listing.check_accessibility()
        await listing.picture("web-workflows")
        page = await light.open(f"{base}/failures")
        await page.locator(".failure summary").first.click()
        await light.check_accessibility()
        await light.picture("web-failures", whole=True)
        page = await light.open(f"{base}/letters")
        await page.locator(".failure summary").first.click()
        await light.check_accessibility()
        await light.picture("web-dead-letter", whole=True)
        await light.open("/ui/system")
        await light.check_accessibility()
        await light.picture("web-system", whole=True)
