"""A service with SkyDriver, callers of every role, and what a driver host would leave of a scan."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import pytest_asyncio

from ewms.core.service.files import FileDocument
from ewms.stores.collections import FILES
from ewms.stores.store import Insert
from ewms.wms.access.roles import Role
from ewms.wms.service.plugin import ServicePlugin
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native
from skymap_scanner.skydriver.plugin import SkyDriver
from tests.support.driven import change
from tests.support.service import RunningService, service_with

CLUSTERS = {
    "here": {"backend": "local", "max_workers": 4, "aliases": ["sub-1", "osg"]},
    "there": {"backend": "local", "max_workers": 2},
}
PARTIAL, FINAL = {"nside-1": {"columns": ["index"], "data": [[0]]}}, {"nside-8": {"columns": ["index"], "data": [[1]]}}
PRODUCT = "product/run00118000.evt000000000007.gold_8"
SHARED = Path(__file__).parents[4] / ".." / "shared"


def small_alert(event_id: int = 7) -> Alert:
    """Enough light on a few strings for every reconstruction to begin with."""
    pulses = np.array(
        [
            (string, om, 10_000.0 + 60.0 * om + 100.0 * string, 2.0, 1.0, 1)
            for string in (20, 21, 29, 30)
            for om in (20, 21, 22, 23)
        ],
        dtype=PULSE,
    )
    header = EventHeader(run_id=118_000, event_id=event_id, mjd=58_000.25, event_type="gold", is_real=False)
    return Alert(header=header, pulses=pulses)


def event_of(event_id: int = 7) -> dict[str, Any]:
    """A small event as JSON."""
    found: dict[str, Any] = json.loads(native.dumps(small_alert(event_id)))
    return found


def scan_body(**changes: Any) -> dict[str, Any]:
    """The body of `POST /scan`, as SkyDriver's clients write it; None takes a key out."""
    body = {
        "docker_tag": "v4.1.2",
        "reco_algo": "splinempe",
        "event_i3live_json": event_of(),
        "nsides": {"8": 0, "64": 12},
        "real_or_simulated_event": "real",
        "max_pixel_reco_time": 60,
        "cluster": {"here": 2},
    }
    return {key: value for key, value in {**body, **changes}.items() if value is not None}


@dataclass(kw_only=True)
class Sky:
    """A running service, its callers and what is done to scans."""

    service: RunningService
    tokens: dict[str, str]
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def of(self, name: str = "ada") -> httpx2.AsyncClient:
        """The client of a caller; of nobody for the empty name."""
        if name not in self.clients:
            client = self.service.client(self.tokens.get(name, ""))
            client.base_url = httpx2.URL(f"{self.service.url}/skydriver")
            self.clients[name] = client
        return self.clients[name]

    async def posted(self, name: str = "ada", **changes: Any) -> dict[str, Any]:
        """The manifest of a new scan."""
        answer = await self.of(name).post("/scan", json=scan_body(**changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, path: str, name: str = "ada", method: str = "GET", **how: Any) -> Any:
        """What a route answers that has nothing to complain of."""
        answer = await self.of(name).request(method, path, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def drives(self, manifest: dict[str, Any], **fields: Any) -> None:
        """Change a scan's workflow as a driver host does."""
        await change(self.service.state, manifest["ewms_workflow_id"], fields)

    async def leaves(self, manifest: dict[str, Any], files: dict[str, Any]) -> tuple[str, ...]:
        """Keep files of a scan's workflow, with JSON or bytes in them; their names."""
        state, workflow_id = self.service.state, manifest["ewms_workflow_id"]
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            file = FileDocument(workflow_id=workflow_id, name=name, size=len(data), sha256="0" * 64)
            kept = await asyncio.to_thread(state.files.holding(file).put, data)
            body = file.model_copy(update={"sha256": kept.sha256}).model_dump(mode="json")
            await state.store.write(Insert(collection=FILES, key=file.key, body=body))
        return tuple(files)

    async def shows_partial(self, manifest: dict[str, Any]) -> None:
        """Give a scan a result so far."""
        names = await self.leaves(manifest, {"partial/partial.json": PARTIAL, "partial/overview.json": {}})
        tasks = {"reconstruct": {"planned": 768, "terminal": 12, "seconds": 0.01}}
        note = "nside 8: 12/768, best ra 1.00 dec +2.00 (pixel +-3.67) -logL 9.0"
        await self.drives(manifest, state="running", active=True, partial=names, partial_number=1, tasks=tasks, note=note)

    async def finishes(self, manifest: dict[str, Any]) -> None:
        """Give a scan its final result."""
        files = {f"{PRODUCT}.json": FINAL, f"{PRODUCT}.npz": b"", "product/best_fit.json": {"best_fit": {"ra": 1.0}}}
        await self.drives(manifest, state="complete", active=True, product=await self.leaves(manifest, files), partial=())


def plugins() -> dict[str, ServicePlugin]:
    """SkyDriver, at its own prefix."""
    return {"skydriver": SkyDriver()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sky(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sky]:
    folder = tmp_path_factory.mktemp("service")
    async with service_with(plugins(), folder, access={}, clusters=CLUSTERS) as service:
        minted = service.state.access.minted
        tokens = {role.value: await minted.mint(role.value, role) for role in set(Role) - {Role.USER}}
        tokens |= {name: await minted.mint(name, Role.USER) for name in ("ada", "bob")}
        found = Sky(service=service, tokens=tokens)
        yield found
        for client in found.clients.values():
            await client.aclose()
