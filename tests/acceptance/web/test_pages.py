"""Pages in a real browser, over a service in this process whose workflows are driven by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from ewms.core.service.workflow import TaskProgress, WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.stores.collections import SITES, WORKFLOWS
from ewms.stores.store import Insert
from ewms.wms.access.roles import Role
from tests.support.browser import SECONDS, Tab, tab
from tests.support.driven import accept, change, drive
from tests.support.service import RunningService, running_service
from tests.support.submissions import submitted

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
expect.set_options(timeout=1000 * SECONDS)
HOSTILE = "<img src=x onerror=globalThis.taken=1>"
MANY = 10_000


async def token_of(service: RunningService, name: str, role: Role = Role.USER) -> str:
    return await service.state.access.minted.mint(name, role)


async def workflow_of(service: RunningService, token: str, **changes: Any) -> str:
    async with service.client(token) as http:
        return await submitted(http, **changes)


async def stays(page: Page) -> None:
    """Leave a mark that a reload would wipe off."""
    await page.evaluate("globalThis.stayed = true")


async def check_stayed(page: Page) -> None:
    assert await page.evaluate("globalThis.stayed"), "the page was loaded anew"


async def test_counts_change_without_a_reload(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "ada")
    workflow_id = await workflow_of(service, token)
    async with (
        tab(chromium, service.url, token) as first,
        tab(chromium, service.url, token) as second,
    ):
        page, listing = await first.open(f"/ui/workflows/{workflow_id}"), await second.open("/ui/workflows")
        for opened in (page, listing):
            await expect(opened.locator("#connection")).to_have_text("Live")
            await stays(opened)
        row = listing.locator(f"tr[data-workflow={workflow_id}]")
        await expect(row.locator(".state")).to_have_text("pending")
        await drive(service.state, workflow_id)
        await expect(page.locator("h1 .state")).to_have_text("running")
        await expect(page.locator('dd [data-live="terminal"]')).to_have_text("2")
        await expect(page.locator("[data-waiting=double]")).to_have_text("1 waiting")
        await expect(row.locator('[data-live="terminal"]')).to_have_text("2")
        await accept(service.state, workflow_id, 3, 3, 6)
        await expect(page.locator('dd [data-live="terminal"]')).to_have_text("3")
        await expect(page.locator("[data-count=accepted]")).to_have_text("3")
        await expect(row.locator('[data-live="terminal"]')).to_have_text("3")
        await expect(page.locator("#throughput canvas").first).to_be_visible()
        await change(service.state, workflow_id, {"state": "complete", "product": ["product/outcomes.jsonl"]})
        await expect(row.locator(".state")).to_have_text("complete")
        await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        for opened in (page, listing):
            await check_stayed(opened)


async def test_a_new_workflow_is_told_of_and_not_pushed_in(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "newcomer")
    async with tab(chromium, service.url, token) as opened:
        page = opened.page
        await expect(page.get_by_text("There are no workflows yet")).to_be_visible()
        await opened.picture("workflows-none")
        await expect(page.locator("#connection")).to_have_text("Live")
        workflow_id = await workflow_of(service, token)
        await expect(page.locator("#changed")).to_contain_text("1 new workflow.")
        await page.locator("#changed").get_by_role("link", name="Show").click()
        await expect(page.locator(f"tr[data-workflow={workflow_id}]")).to_be_visible()


async def test_what_people_write_is_shown_as_they_wrote_it(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, HOSTILE)
    workflow_id = await workflow_of(service, token, labels={"note": HOSTILE})
    await drive(service.state, workflow_id)
    await change(service.state, workflow_id, {"state": "failed", "reason": HOSTILE, "note": HOSTILE, "name": HOSTILE})
    async with tab(chromium, service.url, token) as opened:
        page = opened.page
        await page.get_by_role("link", name=f"note={HOSTILE}").click()
        await expect(page.locator("tr[data-workflow]")).to_have_count(1)
        await page.locator("td a.name").click()
        await expect(page.locator("#reason")).to_have_text(HOSTILE)
        await expect(page.locator("h1")).to_contain_text(HOSTILE)
        await expect(page.locator("#connection")).to_have_text("Live")
        await change(service.state, workflow_id, {"reason": f"again {HOSTILE}"})
        await expect(page.locator("#reason")).to_have_text(f"again {HOSTILE}")
        for path in ("/failures", "/letters", "/files", "/events/double/e2"):
            await opened.open(f"/ui/workflows/{workflow_id}{path}")
            await expect(page.locator("h1")).to_contain_text(HOSTILE)
        assert await page.locator("img[src=x]").count() == 0
        assert await page.evaluate("globalThis.taken") is None


async def test_why_it_failed_is_told_with_host_and_stderr(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "eve")
    workflow_id = await workflow_of(service, token)
    await drive(service.state, workflow_id)
    async with tab(chromium, service.url, token) as opened:
        page = await opened.open(f"/ui/workflows/{workflow_id}/failures")
        failure = page.locator(".failure")
        await expect(failure).to_contain_text("ValueError: '…' is no number")
        await expect(failure).to_contain_text("2 attempts failed")
        await expect(failure).to_contain_text("slot1")
        await failure.locator("summary").click()
        await expect(failure.get_by_text("warning 2")).to_be_visible()
        await failure.get_by_role("link", name="e2").click()
        await expect(page.get_by_role("heading", name="Event e2")).to_be_visible()
        await expect(page.get_by_text("Attempt 1 failed")).to_be_visible()


async def test_a_lost_connection_is_told_of_and_regained(chromium: Browser, tmp_path: Path) -> None:
    async with running_service(tmp_path, access={}) as running:
        token = await token_of(running, "ada")
        workflow_id = await workflow_of(running, token)
        port = int(running.url.rpartition(":")[2])
        context = tab(chromium, running.url, token)
        opened = await context.__aenter__()
        page = await opened.open(f"/ui/workflows/{workflow_id}")
        await expect(page.locator("#connection")).to_have_text("Live")
        await stays(page)
    with opened.tolerating_errors_of_the_service():
        await expect(page.locator("#connection")).to_contain_text("Connection lost")
        await opened.picture("connection-lost")
        tables: dict[str, Any] = {"service": {"listen": f"127.0.0.1:{port}"}, "access": {}}
        async with running_service(tmp_path, **tables) as again:
            await expect(page.locator("#connection")).to_have_text(re.compile("Connected again|Live"))
            await drive(again.state, workflow_id)
            await expect(page.locator('dd [data-live="terminal"]')).to_have_text("2")
            await check_stayed(page)
            await context.__aexit__(None, None, None)


async def test_a_role_without_rights_sees_no_button_and_is_refused(chromium: Browser, service: RunningService) -> None:
    ada, tms, bob = await token_of(service, "ada"), await token_of(service, "grid", Role.TMS), await token_of(service, "bob")
    workflow_id = await workflow_of(service, ada)
    base = f"/ui/workflows/{workflow_id}"
    async with tab(chromium, service.url, ada) as opened:
        page = await opened.open(base)
        for name in ("Pause", "Workers and priority", "Cancel"):
            await expect(page.get_by_role("button", name=name)).to_be_visible()
        await opened.open("/ui/system")
        await expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
        await expect(page.get_by_role("heading", name="Tokens")).to_have_count(0)
        await expect(page.get_by_role("button", name="Exclude a site")).to_have_count(0)
        with opened.tolerating_errors_of_the_service():
            code = await page.evaluate("async () => (await fetch('/api/tokens', {method: 'POST', body: '{}'})).status")
            assert code == 403
    async with tab(chromium, service.url, tms) as opened:
        page = await opened.open(base)
        await expect(page.locator("h1")).to_contain_text("numbers")
        await expect(page.locator("#actions button")).to_have_count(0)
        await expect(page.get_by_role("link", name="Failures")).to_have_count(0)
        with opened.tolerating_errors_of_the_service():
            answer = await page.goto(f"{service.url}{base}/letters")
            assert answer is not None
            assert answer.status == 403
            await expect(page.get_by_role("alert")).to_contain_text("grid has the role tms")
            await opened.picture("forbidden")
            code = await page.evaluate(
                f"async () => (await fetch('/api/workflows/{workflow_id}/actions/cancel', {{method: 'POST'}})).status"
            )
            assert code == 403
    async with tab(chromium, service.url, bob) as opened:
        with opened.tolerating_errors_of_the_service():
            answer = await opened.page.goto(f"{service.url}{base}")
            assert answer is not None
            assert answer.status == 404, "others' workflows are not there"


async def test_what_the_service_refuses_stands_beside_the_button(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "ada")
    workflow_id = await workflow_of(service, token)
    async with tab(chromium, service.url, token) as opened:
        page = await opened.open(f"/ui/workflows/{workflow_id}")
        await page.get_by_role("button", name="Workers and priority").click()
        dialog = page.get_by_role("dialog", name="Workers and priority")
        await dialog.get_by_label("Priority").fill("100000000000000")
        with opened.tolerating_errors_of_the_service():
            await dialog.get_by_role("button", name="Save").click()
            await expect(dialog.get_by_role("alert")).to_contain_text("priority")
        await dialog.get_by_label("Priority").fill("70")
        await dialog.get_by_label("Most workers").fill("3")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_be_hidden()
        async with service.client(token) as http:
            now = (await http.get(f"/api/workflows/{workflow_id}")).json()
        assert (now["priority"], now["workers"]) == (70, 3)


async def test_tokens_and_sites_are_an_operators(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "op", Role.OPERATOR)
    async with tab(chromium, service.url, token) as opened:
        page = await opened.open("/ui/system")
        await page.get_by_role("button", name="Make a token").click()
        form = page.get_by_role("dialog", name="Make a token")
        await form.get_by_label("For whom").fill("grace")
        await form.get_by_label("Days").fill("30")
        await form.get_by_role("button", name="Make it").click()
        shown = page.get_by_role("dialog", name="The token")
        made = await shown.locator("pre").inner_text()
        assert made.startswith("ewms_")
        await shown.get_by_role("button", name="I have it").click()
        row = page.locator("#tokens tr", has_text="grace")
        await expect(row).to_be_visible()
        assert made not in await page.content(), "it is shown once"
        async with service.client(made) as http:
            assert (await http.get("/api/workflows")).status_code == 200
            await row.get_by_role("button", name="Revoke").click()
            await page.locator("dialog.confirm").get_by_role("button", name="Revoke").click()
            await expect(row).to_have_count(0)
            assert (await http.get("/api/workflows")).status_code == 401
        await page.get_by_role("button", name="Exclude a site").click()
        form = page.get_by_role("dialog", name="Exclude a site")
        await form.get_by_label("Site").fill("far.example")
        await form.get_by_label("Why").fill("its disks are full")
        await form.get_by_role("button", name="Exclude").click()
        site = page.locator("#sites tr", has_text="far.example")
        await expect(site).to_contain_text("its disks are full")
        await opened.picture("system", whole=True)
        await opened.check_accessibility()
        await site.get_by_role("button", name="Admit again").click()
        await expect(site).to_contain_text("may start")
    assert await service.state.store.count(SITES) == 1


async def test_ten_thousand_workflows_are_paged_with_exact_totals(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "crowd")
    await insert_many(service, "crowd")
    async with tab(chromium, service.url, token) as opened:
        page = opened.page
        await expect(page.locator("#pages")).to_have_text(f"1 to 50 of {MANY:,}".replace(",", "\u202f"))
        await expect(page.locator("tbody tr")).to_have_count(50)
        await page.get_by_role("link", name="Next page").click()
        await expect(page.locator("#pages")).to_contain_text("51 to 100 of")
        await opened.open("/ui/workflows?label=part=7")
        await expect(page.locator("#pages")).to_contain_text("1 to 50 of 1\u202f000")
        await page.get_by_label("Name or id").fill("number-9999")
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_text("No workflow is like this")).to_be_visible()
        await page.get_by_label("Labels").fill("part=9")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#pages")).to_have_text("1 to 1 of 1")
        assert "label" in page.url, "what is looked for can be shared"


async def insert_many(service: RunningService, owner: str) -> None:
    spec = parse_spec({"name": "number", "tasks": [{"name": "t", "python": "work:double", "input": "q"}]}, "test")
    documents = [
        WorkflowDocument(
            workflow_id=f"WF-{number:08}-crowd",
            timestamp=1.7e9 + number,
            name=f"number-{number}",
            owner=owner,
            labels={"part": str(number % 10)},
            state="complete",
            spec=spec,
            tasks={"t": TaskProgress(planned=1, terminal=1)},
        ).model_dump(mode="json")
        for number in range(MANY)
    ]
    for begin in range(0, MANY, 1000):
        part = documents[begin : begin + 1000]
        changes = [Insert(collection=WORKFLOWS, key=str(body["workflow_id"]), body=body) for body in part]
        await service.state.store.write(*changes)


SUITED = [(True, False), (False, True), *(pytest.param(both, both, marks=pytest.mark.soak) for both in (False, True))]


@pytest.mark.parametrize(("phone", "dark"), SUITED)
async def test_pages_suit_everybody(chromium: Browser, service: RunningService, phone: bool, dark: bool) -> None:
    token = await token_of(service, f"reader-{phone}-{dark}")
    workflow_id = await workflow_of(service, token, labels={"site": "north", "run": "142"})
    await drive(service.state, workflow_id)
    base = f"/ui/workflows/{workflow_id}"
    pages = {"workflows": "/ui/workflows", "workflow": base, "failures": f"{base}/failures", "letters": f"{base}/letters"}
    suffix = ("-phone" if phone else "") + ("-dark" if dark else "")
    async with tab(chromium, service.url, token, phone=phone, dark=dark) as opened:
        for name, path in pages.items():
            page = await opened.open(path)
            await expect(page.locator("#connection")).to_have_text("Live")
            if name == "workflow":
                await expect(page.locator("#throughput canvas").first).to_be_visible()
            await opened.check_accessibility()
            await opened.picture(f"{name}{suffix}", whole=True)
            assert await fits(page), f"{path} is wider than the screen"
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (min(map(int, re.findall(r"\d+", paper)[:3])) < 60) == dark
        await page.get_by_role("button", name="Switch between light and dark").click()
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != paper
    async with tab(chromium, service.url, phone=phone, dark=dark) as stranger:
        await stranger.open("/ui/login")
        await stranger.check_accessibility()
        await stranger.picture(f"login{suffix}")


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


async def test_a_page_can_be_used_by_keyboard(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "typist")
    workflow_id = await workflow_of(service, token)
    async with tab(chromium, service.url, token) as opened:
        page = await opened.open(f"/ui/workflows/{workflow_id}")
        await reach(opened, "Workers and priority")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="Workers and priority")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Workers and priority")).to_be_hidden()
        await reach(opened, "Pause")
        await page.keyboard.press("Enter")
        await expect(page.locator("#workflow")).to_have_attribute("data-wish", "pause")


async def reach(opened: Tab, name: str) -> None:
    """Press the tabulator until a control has the focus."""
    for _ in range(60):
        await opened.page.keyboard.press("Tab")
        focused = opened.page.locator("button:focus")
        if await focused.count() and (await focused.inner_text()) == name:
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


async def test_a_link_of_elsewhere_opens_the_page(chromium: Browser, service: RunningService) -> None:
    token = await token_of(service, "ada")
    workflow_id = await workflow_of(service, token)
    async with tab(chromium, service.url, token) as opened:
        page = opened.page
        await page.goto("about:blank")
        await page.set_content(f'<a href="{service.url}/ui/workflows/{workflow_id}">look</a>')
        await page.get_by_role("link", name="look").click()
        await expect(page.locator("h1")).to_contain_text("numbers")
        await expect(page).to_have_url(f"{service.url}/ui/workflows/{workflow_id}")
