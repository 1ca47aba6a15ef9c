"""Real pilots, a driver host and a broker that gives pilots no more than they need."""

from __future__ import annotations

import json
from pathlib import Path

from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for, redact
from ewms.core.service.phases import WorkflowState
from ewms.stores.urls import store_for
from ewms.wms.access.grants import pilot_grant
from ewms.wms.news import News
from tests.integration.access.conftest import issuer_of
from tests.support.driving import Site, jsonl

CODE = b"""
def square(number):
    return number * number
"""
SPEC = {"name": "squares", "tasks": [{"name": "square", "python": "work:square", "input": "numbers", "output": "squares"}]}


async def test_pilots_work_with_credentials_of_their_workflow_alone(tmp_path: Path) -> None:
    async with (
        EmbeddedNats(tmp_path / "broker", accounts=True) as server,
        store_for(tmp_path / "store.sqlite") as store,
        broker_for(server.url) as broker,
        News(broker) as news,
    ):
        site = Site(tmp_path, store, broker, server.url, news)
        credentials = issuer_of(tmp_path / "broker", redact(server.url))
        try:
            await site.start_host()
            identity = await site.submit(SPEC, {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(300))})
            site.broker_url = await credentials.issue(pilot_grant(identity), 600.0)
            launcher = await site.start_pilots(identity)
            document = await site.wait_state(identity, WorkflowState.COMPLETE)
            lines = [json.loads(line) for line in site.content(document, "product/outcomes.jsonl").splitlines()]
            assert [line["output"] for line in lines] == [number * number for number in range(300)]
            await credentials.revoke(identity)
            await launcher.stop(2.0)
        finally:
            await site.close()
            await credentials.close()
        logs = "".join(path.read_text() for path in (tmp_path / "pilots").rglob("*.log"))
        assert "permission_missing" not in logs + (tmp_path / "broker" / "nats.log").read_text()
        assert "Violation" not in (tmp_path / "broker" / "nats.log").read_text()
