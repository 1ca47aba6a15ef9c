"""How browsers are let in, and what their sessions may do: by plain HTTP, as a browser sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from ewms.wms.access.roles import Role
from tests.support.oidc import AUDIENCE, listening_issuer
from tests.support.service import RunningService, running_service
from tests.support.submissions import submitted

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"Accept": "text/html,application/xhtml+xml"}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """A service that lets in whoever is on this machine."""
    async with running_service(tmp_path_factory.mktemp("open")) as running:
        yield running


async def logged_in(service: RunningService, client: httpx2.AsyncClient, token: str, then: str = "") -> httpx2.Response:
    """A client whose cookies are those of a session."""
    answer = await client.post("/ui/login", data={"token": token, "next": then}, headers=OWN_PAGE | HTML)
    assert answer.status_code == 303, answer.text
    return answer


async def test_a_token_becomes_a_cookie_that_scripts_and_others_do_not_get(service: RunningService) -> None:
    async with service.client() as client:
        token = await service.state.access.minted.mint("ada", Role.USER)
        answer = await logged_in(service, client, token, "/ui/system")
        assert answer.headers["Location"] == "/ui/system"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie, "this service speaks no TLS"
        page = await client.get("/ui/workflows", headers=HTML)
        assert page.status_code == 200
        assert "ada" in page.text
        assert token not in page.text
        await client.post("/ui/logout", headers=OWN_PAGE)
        assert (await client.get("/ui/workflows", headers=HTML)).status_code == 303


async def test_the_cookie_is_for_tls_alone_where_the_service_is_reached_by_it(tmp_path: Path) -> None:
    tables = {"service": {"url": "https://ewms.example"}, "access": {"behind_proxy": True}}
    async with running_service(tmp_path, **tables) as service, service.client() as client:
        token = await service.state.access.minted.mint("ada", Role.USER)
        answer = await logged_in(service, client, token)
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (OWN_PAGE, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_session_changes_things_from_pages_of_the_service_alone(
    service: RunningService, headers: dict[str, str], code: int
) -> None:
    async with service.client() as client:
        operator = await service.state.access.minted.mint("op", Role.OPERATOR)
        await logged_in(service, client, operator)
        answer = await client.post("/api/tokens", json={"owner": "bob"}, headers=headers)
        assert answer.status_code == code
        if code == 403:
            assert "pages of this service" in answer.json()["error"]
            bearer = headers | {"Authorization": f"Bearer {operator}"}
            answer = await client.post("/api/tokens", json={"owner": "bob"}, headers=bearer)
            assert answer.status_code == 201, "a token that is sent as such needs no origin"


async def test_an_older_browser_tells_its_origin(service: RunningService) -> None:
    async with service.client() as client:
        await logged_in(service, client, await service.state.access.minted.mint("op", Role.OPERATOR))
        answer = await client.post("/api/tokens", json={"owner": "bob"}, headers={"Origin": service.url})
        assert answer.status_code == 201


async def test_an_open_service_takes_no_orders_from_another_port_of_this_machine(open_service: RunningService) -> None:
    async with open_service.client() as client:
        workflow_id = await submitted(client)
        pause = f"/api/workflows/{workflow_id}/actions/pause"
        for headers in ({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "same-site"}):
            assert (await client.post(pause, headers=headers)).status_code == 403
        assert (await client.post(pause, headers=OWN_PAGE)).status_code == 200
        assert (await client.post(pause)).status_code == 200, "programs tell no origin"


async def test_a_code_lets_one_browser_in_once(service: RunningService) -> None:
    async with service.client() as client:
        token = await service.state.access.minted.mint("ada", Role.USER)
        async with service.client(token) as program:
            link = (await program.post("/ui/login/code")).json()["url"]
        assert token not in link
        path = "/ui/login?" + link.partition("?")[2]
        assert "ewms_session" in (await client.get(path, headers=HTML)).headers["Set-Cookie"]
        assert (await client.get("/ui/workflows", headers=HTML)).status_code == 200
        async with service.client() as other:
            again = await other.get(path, headers=HTML)
            assert again.status_code == 401
            assert "used before" in again.text
            assert "Set-Cookie" not in again.headers


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""])
async def test_the_way_in_leads_to_this_service_alone(service: RunningService, then: str) -> None:
    async with service.client() as client:
        answer = await logged_in(service, client, await service.state.access.minted.mint("ada", Role.USER), then)
        assert answer.headers["Location"] == "/ui/workflows"


async def test_who_is_not_known_is_led_to_the_way_in(service: RunningService) -> None:
    async with service.client() as client:
        answer = await client.get("/ui/workflows?state=running", headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/login?next=/ui/workflows%3Fstate%3Drunning")
        program = await client.get("/ui/workflows")
        assert (program.status_code, program.json()["code"]) == (401, 401)
        wrong = await client.post("/ui/login", data={"token": "ewms_wrong"}, headers=OWN_PAGE | HTML)
        assert wrong.status_code == 401
        assert "not known here" in wrong.text
        assert (await client.post("/ui/login", data={"token": "ewms_wrong"})).status_code == 403


async def test_pages_bring_nothing_of_elsewhere(open_service: RunningService) -> None:
    async with open_service.client() as client:
        for path in ("/ui/workflows", "/ui/system", "/nothing"):
            answer = await client.get(path, headers=HTML)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/ui/static/live.js", "/ui/static/bokeh/js/bokeh.min.js", "/favicon.ico", "/favicon.svg"):
            answer = await client.get(path)
            assert answer.status_code == 200
            fresh = await client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
            assert fresh.status_code == 304
        for name in ("../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "/etc/passwd", "bokeh/../../../../__init__.py"):
            assert (await client.get(f"/ui/static/{name}")).status_code == 404


async def test_errors_are_pages_for_people_and_words_for_programs(open_service: RunningService) -> None:
    async with open_service.client() as client:
        page = await client.get("/ui/workflows/WF-%3Cb%3Enone", headers=HTML)
        assert page.status_code == 404
        assert "or it is not yours" in page.text
        assert "<b>none" not in page.text
        assert (await client.get("/ui/workflows/WF-none")).json()["code"] == 404
        wrong = await client.get("/ui/workflows?labels=nonsense", headers=HTML)
        assert wrong.status_code == 400
        assert "not of the form name=value" in wrong.text


async def test_a_session_by_a_token_of_the_provider_ends_with_the_logout(tmp_path: Path) -> None:
    with listening_issuer() as issuer:
        access: dict[str, Any] = {"issuer": issuer.url, "audience": AUDIENCE, "roles": {"user": ["groups=/users"]}}
        async with running_service(tmp_path, access=access) as service, service.client() as client:
            token = issuer.token(iss=issuer.url)
            answer = await logged_in(service, client, token)
            assert token not in answer.headers["Set-Cookie"]
            assert (await client.get("/ui/workflows", headers=HTML)).status_code == 200
            cookies = dict(client.cookies)
            await client.post("/ui/logout", headers=OWN_PAGE)
            async with service.client() as thief:
                thief.cookies.update(cookies)
                assert (await thief.get("/api/workflows")).status_code == 401
