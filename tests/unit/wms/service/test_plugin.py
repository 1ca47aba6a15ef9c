"""Plugins add routes below a prefix of their own, under rules of their own."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter

from ewms.core.errors import InputError
from ewms.services import ANYBODY, REQUEST, CallerOf, NewWorkflow, PluginHost, ServicePlugin
from ewms.wms.service.app import create_app
from ewms.wms.service.plugin import hosted, load_plugins
from tests.support.service import running_service
from tests.support.submissions import CODE, INPUT, SPEC

HERE = "tests.unit.wms.service.test_plugin"


class Doubling(ServicePlugin):
    """Doubles numbers on a collaboration's slots."""

    rules = {"GET /": ANYBODY, "POST /jobs": REQUEST}

    def router(self, host: PluginHost) -> APIRouter:
        """Its routes."""
        router = APIRouter()

        @router.get("/")
        async def page() -> str:
            return "doubles numbers"

        @router.post("/jobs")
        async def job(caller: CallerOf) -> str:
            code, inputs = [await host.upload(caller, data) for data in (CODE, INPUT)]
            files = {"code/work.py": code.sha256, "inputs/n.jsonl": inputs.sha256}
            workflow = await host.submit(caller, NewWorkflow(spec=SPEC, files=files))
            return (await host.workflow(caller, workflow.workflow_id)).workflow_id

        @router.get("/healthz")
        async def looks_like_ours() -> str:
            return "for operators"

        return router


def point(name: str, value: str = f"{HERE}:Doubling") -> EntryPoint:
    return EntryPoint(name, value, "ewms.services")


async def test_its_routes_are_there_under_its_rules(tmp_path: Path) -> None:
    async with running_service(tmp_path, access={}) as service:
        app = create_app(service.state, plugins=hosted(load_plugins([point("doubling")]), service.state))
        user = await service.state.access.minted.mint("ada", "user")  # type: ignore[arg-type]
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            assert (await http.get("/doubling/")).json() == "doubles numbers"
            assert (await http.post("/doubling/jobs")).status_code == 401
            http.headers["Authorization"] = f"Bearer {user}"
            workflow_id = (await http.post("/doubling/jobs")).json()
            assert (await http.get(f"/api/workflows/{workflow_id}")).json()["owner"] == "ada"
            assert (await http.get("/doubling/healthz")).status_code == 403, "nobody said who may"


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([point("api")], "is taken"),
        ([point("Up")], "no plain word"),
        ([point("one"), point("one")], "is taken"),
        ([point("one", "nowhere:Plugin")], "cannot be imported"),
        ([point("one", f"{HERE}:point")], "no subclass of ServicePlugin"),
    ],
)
def test_one_that_cannot_be_used_is_told(points: list[EntryPoint], words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_plugins(points)
