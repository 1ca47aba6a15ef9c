"""A service as a TMS sees it, over real HTTP: it says what the test wants, and fails when the test wants."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response

from ewms.core.config import PilotConfig
from ewms.core.service.phases import ALLOWED, ENDING, Phase
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Order, Plan, TaskforceDocument
from ewms.wms.service.listening import HttpServer

TOKEN = "the-token-of-the-tms"
_POLL_SECONDS = 30.0


class ScriptedService:
    """An asynchronous context manager. `stop` and `start` make it go away and come back at the same address."""

    def __init__(self, pilot: PilotConfig) -> None:
        self.pilot = pilot
        self.taskforces: dict[str, TaskforceDocument] = {}
        self.history: dict[str, list[Phase]] = {}
        """The phases that each taskforce came to."""
        self.files: dict[str, bytes] = {}
        self.reports: list[ClusterReport] = []
        self.calls: Counter[str] = Counter()
        """Requests by the last parts of their path."""
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        """What happens before a request is answered, by the beginning of its path."""
        self._revision = 1
        self._changed = asyncio.Condition()
        self._away = False
        self._port = 0
        self._server: HttpServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ScriptedService:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it is reached, once it was started."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Answer requests."""
        self._away = False
        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        config = uvicorn.Config(self._app(), log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = HttpServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))

    async def stop(self) -> None:
        """Answer no more."""
        if self._server is not None and self._task is not None:
            self._away = True
            await self._tell()
            self._server.stop()
            await self._task
            self._server = None

    async def put(self, taskforce: TaskforceDocument) -> None:
        """Want a taskforce."""
        self.history[taskforce.taskforce_uuid] = [taskforce.phase]
        self.taskforces[taskforce.taskforce_uuid] = taskforce
        await self._tell()

    async def change(self, uuid: str, **fields: Any) -> None:
        """Want something else of it."""
        self.taskforces[uuid] = self.taskforces[uuid].model_copy(update=fields)
        if "phase" in fields:
            self.history[uuid].append(fields["phase"])
        await self._tell()

    async def forget(self, uuid: str) -> None:
        """Know nothing of it any more."""
        del self.taskforces[uuid]
        await self._tell()

    async def until(self, condition: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        """Wait for a condition; fails after a deadline."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():  # noqa: ASYNC110  of anything, at any depth
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited {seconds} s in vain for {what}") from None

    async def until_phase(self, uuid: str, phase: Phase, seconds: float = 20.0) -> TaskforceDocument:
        """Wait until a taskforce has come to a phase; as it is then."""
        await self.until(lambda: phase in self.history[uuid], f"{uuid} in {phase}: {self.history[uuid]}", seconds)
        return self.taskforces[uuid]

    async def _tell(self) -> None:
        self._revision += 1
        async with self._changed:
            self._changed.notify_all()

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.middleware("http")(self._precede)
        app.get("/api/tms/{cluster}/plan")(self._plan)
        app.get("/api/tms/taskforces/{uuid}/pilot")(self._pilot)
        app.get("/api/workflows/{workflow_id}/files/{name:path}")(self._file)
        app.post("/api/tms/{cluster}/report")(self._report)
        app.post("/v1/tms/statuses/taskforces")(self._statuses)
        app.post("/v1/tms/{phase}/taskforces/{uuid}")(self._confirm)
        app.post("/v1/tms/{phase}/taskforces/{uuid}/failed")(self._failed)
        return app

    async def _precede(self, request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.url.path
        self.calls[path.removeprefix("/v1/tms/").removeprefix("/api/").partition("/")[0]] += 1
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response('{"code": 401, "error": "no token"}', 401)
        for beginning, act in list(self.before.items()):
            if path.startswith(beginning):
                try:
                    await act()
                except HTTPException as error:
                    return Response(f'{{"code": {error.status_code}, "error": "as scripted"}}', error.status_code)
        return await proceed(request)

    async def _plan(self, cluster: str, after: int | None = None) -> Plan:
        async with self._changed:
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._changed.wait_for(lambda: self._revision != after or self._away)
            except TimeoutError:
                pass
        live = [one for one in self.taskforces.values() if one.phase is not Phase.CONDOR_COMPLETE]
        return Plan(revision=self._revision, orders=tuple(Order(taskforce=one, version=1) for one in live))

    async def _pilot(self, uuid: str) -> Response:
        if uuid not in self.taskforces or self.taskforces[uuid].phase in ENDING:
            raise HTTPException(404)
        pilot = self.pilot.model_copy(update={"workflow_id": self.taskforces[uuid].workflow_id})
        return Response(pilot.model_dump_json(warnings=False), media_type="application/json")

    async def _file(self, workflow_id: str, name: str) -> Response:
        if name not in self.files:
            raise HTTPException(404)
        return Response(self.files[name], media_type="application/octet-stream")

    async def _report(self, cluster: str, report: ClusterReport) -> dict[str, str]:
        self.reports.append(report)
        return {}

    async def _statuses(self, body: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
        for key, field in (
            ("compound_statuses_by_taskforce", "compound_statuses"),
            ("top_task_errors_by_taskforce", "top_task_errors"),
        ):
            for uuid, value in body.get(key, {}).items():
                if uuid in self.taskforces:
                    self.taskforces[uuid] = self.taskforces[uuid].model_copy(update={field: value})
        return {"results": []}

    async def _confirm(self, phase: Phase, uuid: str, body: dict[str, Any]) -> dict[str, str]:
        if uuid not in self.taskforces or phase not in ALLOWED[self.taskforces[uuid].phase]:
            raise HTTPException(404)
        if phase is Phase.CONDOR_SUBMIT and self.taskforces[uuid].phase is not Phase.PENDING_STARTER:
            raise HTTPException(404)
        known = {"cluster_id", "submit_dict", "job_event_log_fpath"} & body.keys()
        await self.change(uuid, phase=phase, **{name: body[name] for name in known})
        return {"taskforce_uuid": uuid}

    async def _failed(self, phase: Phase, uuid: str, body: dict[str, str]) -> dict[str, str]:
        await self.change(uuid, failures=self.taskforces[uuid].failures + 1, reason=body["error"])
        return {"taskforce_uuid": uuid}
