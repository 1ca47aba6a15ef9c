"""How the service answers, whatever it is asked."""

from __future__ import annotations

from pathlib import Path

from tests.support.service import running_service


async def test_it_lives(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        answer = await http.get("/healthz", headers={"X-Request-ID": "mine"})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert answer.headers["X-Request-ID"] == "mine"


async def test_an_unknown_route_is_told_in_one_line(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        answer = await http.get("/nowhere")
        assert answer.status_code == 404
        assert answer.json() == {"code": 404, "error": "there is no route GET /nowhere; see /openapi.json"}
        answer = await http.delete("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (405, 405)
