"""How the service answers, whatever it is asked."""

from __future__ import annotations

from pathlib import Path

from ewms.drive.beats import Beats
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


async def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False,
            "store": "",
            "broker": "",
            "drivers": "no driver host lives; start `ewms drive`",
            "loops": {},
            "clusters": {"here": "its TMS has never reported"},
        }
        beats = Beats(service.state.store, "host", lease=60.0)
        await beats.announce()
        report = {"ready": False, "reason": "the schedd is away", "workers": 3}
        assert (await http.post("/api/tms/here/report", json=report)).status_code == 204
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True), "the work of a cluster waits"
        assert answer.json()["clusters"] == {"here": "the schedd is away"}
        text = (await http.get("/metrics")).text
        assert 'ewms_cluster_workers{cluster="here"} 3.0' in text
        assert "ewms_driver_hosts 1.0" in text
        assert 'ewms_request_served_seconds_count{code="204",method="POST",route="/api/tms/{cluster}/report"} 1.0' in text
