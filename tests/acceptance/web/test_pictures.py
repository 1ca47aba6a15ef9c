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

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.soak]
expect.set_options(timeout=1000 * SECONDS)
STEPS, STEP_SECONDS, PER_STEP = 16, 0.7, 310


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    async with running_service(tmp_path_factory.mktemp("busy"), access={}, clusters=showcase.CLUSTERS) as running:
        yield running


def written(terminal: int) -> str:
    """The count of all tasks as pages have it."""
    return f"{terminal + terminal - terminal // 9:,}".replace(",", "\u202f")


async def test_a_busy_service_can_be_shown(chromium: Browser, busy: RunningService) -> None:
    workflow_id = await showcase.fill(busy.state)
    token = await busy.state.access.minted.mint("grace", Role.OPERATOR, label="laptop")
    base = f"/ui/workflows/{workflow_id}"
    async with tab(chromium, busy.url, token) as opened:
        page = await opened.open(base)
        await expect(page.locator("#throughput canvas").first).to_be_visible()
        terminal = 12_400
        for step in range(STEPS):
            terminal += PER_STEP + 40 * (step % 3)
            await showcase.progress(busy.state, workflow_id, terminal)
            await asyncio.sleep(STEP_SECONDS)  # so that there is a course to be drawn; nothing waits for it
        await expect(page.locator('dd [data-live="terminal"]')).to_have_text(written(terminal))
        await opened.picture("web-workflow", whole=True)
        await opened.check_accessibility()
        page = await opened.open(f"{base}/failures")
        await page.locator(".failure summary").first.click()
        await opened.check_accessibility()
        await opened.picture("web-failures", whole=True)
        page = await opened.open(f"{base}/letters")
        await page.locator(".failure summary").first.click()
        await opened.check_accessibility()
        await opened.picture("web-dead-letter", whole=True)
        await opened.open("/ui/system")
        await opened.check_accessibility()
        await opened.picture("web-system", whole=True)
        page = await opened.open("/ui/workflows")
        await expect(page.locator("#connection")).to_have_text("Live")
        await showcase.progress(busy.state, workflow_id, terminal := terminal + PER_STEP)
        await expect(page.locator(f"tr[data-workflow={workflow_id}] [data-live=terminal]")).to_have_text(written(terminal))
        await opened.picture("web-workflows")
        await opened.check_accessibility()
    for name, manner in {"web-workflow-dark": {"dark": True}, "web-workflow-phone": {"phone": True}}.items():
        async with tab(chromium, busy.url, token, **manner) as opened:
            page = await opened.open(base)
            await expect(page.locator("#throughput canvas").first).to_be_visible()
            await expect(page.locator('dd [data-live="terminal"]')).to_have_text(written(terminal))
            await opened.check_accessibility()
            await opened.picture(name, whole=True)
