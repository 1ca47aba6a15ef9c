"""Changes of state reach webhooks: signed, until they are delivered, and never inside the service's own network."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

import pytest

from ewms.core.errors import InputError
from ewms.core.service.delivery import Delivery
from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import StateEntry
from ewms.stores.collections import DELIVERIES
from ewms.wms.service import webhooks
from ewms.wms.service.webhook_addresses import check_webhook, resolved
from ewms.wms.service.webhook_calls import WebhookClient, signature
from tests.support.conditions import until
from tests.support.driven import change
from tests.support.service import RunningService, running_service
from tests.support.submissions import submitted

ALLOWED = {"allow": ["127.0.0.0/8"]}


class Call(NamedTuple):
    """What a receiver got."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """A web server that notes what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self.answers = ["204 No Content"]
        self.url = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://localhost:{server.sockets[0].getsockname()[1]}/hook?a=1"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        await self.calls.put(Call(headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver


async def _is_empty(service: RunningService) -> bool:
    return await service.state.store.count(DELIVERIES) == 0


async def test_every_change_of_state_is_told_and_signed(tmp_path: Path, receiver: Receiver) -> None:
    async with running_service(tmp_path, webhooks=ALLOWED) as service, service.client() as http:
        workflow_id = await submitted(http, webhooks=[receiver.url])
        await http.post(f"/api/workflows/{workflow_id}/actions/pause")
        secret = (tmp_path / "secrets" / "webhook.key").read_bytes()
        call = await asyncio.wait_for(receiver.calls.get(), 10)
        told = json.loads(call.body)
        assert (told["workflow_id"], told["state"], told["owner"]) == (workflow_id, "pending", "operator")
        assert hmac.compare_digest(
            call.headers["x-ewms-signature"], signature(secret, call.headers["x-ewms-timestamp"], call.body)
        )
        assert call.headers["host"] == receiver.url.split("/")[2]
        await until(lambda: _is_empty(service), "an empty outbox")


async def test_a_receiver_that_is_away_is_called_again(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_FIRST_PAUSE", 0.1)
    receiver.answers = ["500 Sorry", "302 Elsewhere", "204 No Content"]
    async with running_service(tmp_path, webhooks=ALLOWED) as service, service.client() as http:
        await submitted(http, webhooks=[receiver.url])
        calls = [await asyncio.wait_for(receiver.calls.get(), 10) for _ in range(3)]
        assert len({call.headers["x-ewms-delivery"] for call in calls}) == 1, "a repeat is known as one"
        await until(lambda: _is_empty(service), "an empty outbox")


async def test_calls_outlive_the_service_and_end_after_some(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = ["500 Sorry"]
    tables = {"webhooks": ALLOWED | {"attempts": 1}}
    async with running_service(tmp_path, webhooks=ALLOWED | {"attempts": 5}) as service, service.client() as http:
        workflow_id = await submitted(http, webhooks=[receiver.url])
        await asyncio.wait_for(receiver.calls.get(), 10)
        await change(service.state, workflow_id, {"name": "changed, but not its state"})
        assert await service.state.store.count(DELIVERIES) == 1
    async with running_service(tmp_path, **tables) as service:
        await asyncio.wait_for(receiver.calls.get(), 20)
        await until(lambda: _is_empty(service), "an empty outbox")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
        *("[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::]"),
    ],
)
def test_private_addresses_are_refused(host: str) -> None:
    with pytest.raises(InputError, match="private network"):
        check_webhook(f"http://{host}/", ())


@pytest.mark.parametrize("name", ["localhost", "127.1", "0x7f000001", "2130706433", "localhost."])
async def test_names_of_private_addresses_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        await resolved(check_webhook(f"http://{name}/", ()), ())


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "http://", "http://user:word@example.org/", "http://x:99999/", "http://[::1", "x"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        check_webhook(url, ())


async def test_a_name_that_leads_elsewhere_later_is_not_followed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is the one that is called, whatever the name means a moment later."""
    port = receiver.url.split(":")[2].split("/")[0]
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]])

    async def look_up(*_: object, **__: object) -> object:
        return next(answers)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    client = WebhookClient(b"key", (ip_network("127.0.0.0/8"),))
    entry = StateEntry(state=WorkflowState.RUNNING, timestamp=1.0)
    url = f"http://hooks.example.org:{port}/"
    delivery = Delivery(delivery_id="DL-1", workflow_id="WF-1", owner="ada", name="n", url=url, entry=entry, due=0.0)
    assert await client.call(delivery, 2.0) == ""
    assert (await receiver.calls.get()).headers["host"] == f"hooks.example.org:{port}"
    await client.close()
