"""A real browser, as `reference/services.md` starts it, for tests of pages."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SECONDS = 120.0
ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"
"""Screenshots of the tests; `python -m tests.support.pictures` copies some of them to the documentation."""
DESKTOP, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_AWAY = ("net::ERR_", "Failed to load resource")
_SERIOUS = {"serious", "critical"}


def require_chromium() -> None:
    """Skip where there is no Chromium; in CI that is a failure."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("chromium is missing; install it with apt-get")
        pytest.skip("there is no chromium on this machine")


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; ends with the block."""
    require_chromium()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=list(_ARGUMENTS))
        try:
            yield chromium
        finally:
            await chromium.close()


class Tab:
    """One page that somebody looks at, with everything that its console said.

    Parameters
    ----------
    page
        Of a context of its own: with its own cookies.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self._tolerated = 0
        page.set_default_timeout(1000 * SECONDS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not (self._tolerated and message.text.startswith(_AWAY)):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    async def open(self, path: str) -> Page:
        """Go to a page of the service."""
        await self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")
        return self.page

    @contextlib.contextmanager
    def tolerating_errors_of_the_service(self) -> Iterator[None]:
        """Inside the block, answers of the service may be errors: browsers note each in the console."""
        self._tolerated += 1
        try:
            yield
        finally:
            self._tolerated -= 1

    async def picture(self, name: str, *, whole: bool = False) -> None:
        """Keep a screenshot as `test-artefacts/NAME.png`."""
        ARTEFACTS.mkdir(exist_ok=True)
        if whole:
            await self.page.evaluate("scrollTo(0, 0)")
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=whole, animations="disabled")

    async def check_accessibility(self) -> None:
        """Fail for what axe calls serious."""
        noted = list(self.complaints)
        results = await Axe().run(self.page)
        self.complaints[:] = noted  # axe tries styles that the page's policy forbids
        found = [one for one in results.response["violations"] if one["impact"] in _SERIOUS]
        assert not found, "\n".join(f"{one['id']}: {one['help']}: {[n['html'] for n in one['nodes'][:4]]}" for one in found)

    def check_console(self) -> None:
        """Fail for errors and warnings in the console."""
        assert not self.complaints, self.complaints


@contextlib.asynccontextmanager
async def tab(
    chromium: Browser, url: str, token: str = "", *, phone: bool = False, dark: bool = False
) -> AsyncIterator[Tab]:
    """A page of a browser of somebody's own, logged in where there is a token; its console is checked at the end."""
    context = await chromium.new_context(
        viewport=PHONE if phone else DESKTOP,
        has_touch=phone,
        is_mobile=phone,
        color_scheme="dark" if dark else "light",
        timezone_id="UTC",
        device_scale_factor=1,
    )
    try:
        opened = Tab(await context.new_page(), url)
        if token:
            await log_in(opened, token)
        yield opened
        opened.check_console()
    finally:
        await context.close()


async def log_in(opened: Tab, token: str, path: str = "/ui/workflows") -> None:
    """Paste a token into the page for that, and go on to another page."""
    page = await opened.open(f"/ui/login?next={path}")
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"**{path}*")
