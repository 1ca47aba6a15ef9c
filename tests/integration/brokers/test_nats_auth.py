"""Every way to log in to NATS, and what is said when it fails."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nkeys
import pytest

from ewms.brokers._nats_jetstream import stream_name
from ewms.brokers._nats_process import NatsProcess
from ewms.brokers.base import Broker, Depth
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected

StartServer = Callable[[str], Awaitable[NatsProcess]]

JETSTREAM = 'jetstream { store_dir: "STORE/js" }\n'


async def check_round_trip(url: str) -> None:
    async with broker_for(url, patience=5.0) as broker:
        await broker.declare("q", 30.0)
        await broker.publish("q", b"hello", "1")
        async with await broker.consumer("q") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
        assert delivery.body == b"hello"
        await broker.delete("q")


async def check_refused(url: str, telling: str) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerRejected, match=telling) as caught:
        await broker_for(url).connect()
    assert time.monotonic() - began < 4.0
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def test_token(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server(JETSTREAM + 'authorization { token: "right" }')
    await check_round_trip(f"nats://right@127.0.0.1:{server.port}")
    path = write(tmp_path / "token", "right\n")
    await check_round_trip(f"nats://127.0.0.1:{server.port}?token_file={path}")
    await check_refused(f"nats://SECRET@127.0.0.1:{server.port}", f"127.0.0.1:{server.port} refuses the credentials")
    await check_refused(f"nats://127.0.0.1:{server.port}", "refuses the credentials")


async def test_user_and_password(start_server: StartServer) -> None:
    server = await start_server(JETSTREAM + 'authorization { user: "me", password: "p@ss:word" }')
    await check_round_trip(f"nats://me:p%40ss%3Aword@127.0.0.1:{server.port}")
    await check_refused(f"nats://me:SECRET@127.0.0.1:{server.port}", "refuses the credentials")


async def test_nkey(start_server: StartServer, tmp_path: Path) -> None:
    known, stranger = (nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER) for _ in range(2))
    public = nkeys.from_seed(bytearray(known)).public_key.decode()
    server = await start_server(JETSTREAM + f'authorization {{ users: [ {{ nkey: "{public}" }} ] }}')
    path = write(tmp_path / "seed", known.decode())
    await check_round_trip(f"nats://127.0.0.1:{server.port}?nkey={path}")
    path = write(tmp_path / "stranger", stranger.decode())
    await check_refused(f"nats://127.0.0.1:{server.port}?nkey={path}", "refuses the credentials")


async def test_creds(start_server: StartServer, tmp_path: Path) -> None:
    mint = Mint()
    server = await start_server(JETSTREAM + mint.server_config())
    path = write(tmp_path / "user.creds", mint.creds(expires_in=3600))
    await check_round_trip(f"nats://127.0.0.1:{server.port}?creds={path}")
    path = write(tmp_path / "expired.creds", mint.creds(expires_in=-10))
    await check_refused(f"nats://127.0.0.1:{server.port}?creds={path}", "refuses the credentials")


async def test_credentials_that_expire_while_connected(start_server: StartServer, tmp_path: Path) -> None:
    mint = Mint()
    server = await start_server(JETSTREAM + mint.server_config())
    path = write(tmp_path / "user.creds", mint.creds(expires_in=2))
    async with broker_for(f"nats://127.0.0.1:{server.port}?creds={path}", patience=3.0) as broker:
        await broker.declare("q", 30.0)
        with pytest.raises(BrokerRejected, match="refuses the credentials"):
            await forever(broker)
        write(path, mint.creds(expires_in=3600))
        assert await broker.depth("q") == Depth(0, 0)


async def test_no_jetstream(start_server: StartServer) -> None:
    server = await start_server("")
    await check_refused(f"nats://127.0.0.1:{server.port}", "has no JetStream; start nats-server with -js")


async def test_a_pilots_user_needs_few_permissions(start_server: StartServer) -> None:
    stream = stream_name("q")
    allowed = f'"$JS.API.CONSUMER.MSG.NEXT.{stream}.lease", "$JS.ACK.{stream}.lease.>"'
    server = await start_server(JETSTREAM + users(f"publish: [ {allowed} ], subscribe: [ '_INBOX.>' ]"))
    async with (
        broker_for(f"nats://admin:a@127.0.0.1:{server.port}", patience=5.0) as admin,
        broker_for(f"nats://pilot:p@127.0.0.1:{server.port}", patience=5.0) as pilot,
    ):
        await admin.declare("q", 1.0)
        await admin.publish("q", b"work", "1")
        async with await pilot.consumer("q") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
            await delivery.renew()
            await delivery.ack()
            await has_depth(admin, "q", Depth(0, 0))
        with pytest.raises(BrokerRejected, match=r"permission for publish to \$JS\.API\.STREAM\.DELETE\.q; have it granted"):
            await asyncio.wait_for(pilot.delete("q"), 4.0)
        with pytest.raises(BrokerRejected, match=r"permission for publish to ewms\.queue\.q"):
            await asyncio.wait_for(pilot.publish("q", b"", "2"), 4.0)
        await pilot.signal("topic", b"dropped by the server")
        assert (await admin.depth("q")).ready == 0


async def test_a_user_who_may_not_lease_is_told_so(start_server: StartServer) -> None:
    server = await start_server(JETSTREAM + users("publish: [ '_INBOX.>' ], subscribe: [ '_INBOX.>' ]"))
    async with broker_for(f"nats://pilot:p@127.0.0.1:{server.port}", patience=5.0) as pilot:
        consumer = await pilot.consumer("q")
        with pytest.raises(BrokerRejected, match=r"permission for publish to \$JS\.API\.CONSUMER\.MSG\.NEXT\.q\.lease"):
            await asyncio.wait_for(consumer.lease(1, 30.0), 4.0)


async def test_a_user_who_may_not_listen_is_told_so(start_server: StartServer) -> None:
    server = await start_server(JETSTREAM + users("subscribe: { deny: '>' }"))
    await check_refused(f"nats://pilot:p@127.0.0.1:{server.port}", "permission")


async def has_depth(broker: Broker, queue: str, depth: Depth) -> None:
    deadline = time.monotonic() + 5.0
    while (found := await broker.depth(queue)) != depth:
        assert time.monotonic() < deadline, f"depth is {found}, not {depth}"
        await asyncio.sleep(0.01)


async def forever(broker: Broker) -> None:
    while True:
        await broker.depth("q")
        await asyncio.sleep(0.05)


def users(permissions: str) -> str:
    """An administrator and a pilot with some permissions."""
    return (
        "accounts { A: { jetstream: enabled, users: [ { user: admin, password: a },"
        f" {{ user: pilot, password: p, permissions: {{ {permissions} }} }} ] }} }}"
    )


class Mint:
    """An operator with one account, who makes JWTs for users."""

    def __init__(self) -> None:
        self._operator = _Key(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = _Key(nkeys.PREFIX_BYTE_ACCOUNT)
        self._system = _Key(nkeys.PREFIX_BYTE_ACCOUNT)

    def server_config(self) -> str:
        unlimited = dict.fromkeys(
            (
                "subs",
                "data",
                "payload",
                "imports",
                "exports",
                "conn",
                "leaf",
                "mem_storage",
                "disk_storage",
                "streams",
                "consumer",
            ),
            -1,
        )
        account = {"type": "account", "version": 2, "limits": unlimited | {"wildcards": True}}
        system = {"type": "account", "version": 2, "limits": {}}
        return (
            f"operator: {_jwt(self._operator, self._operator, {'type': 'operator', 'version': 2})}\n"
            f"system_account: {self._system.public}\n"
            "resolver: MEMORY\n"
            "resolver_preload: {\n"
            f"  {self._account.public}: {_jwt(self._operator, self._account, account)}\n"
            f"  {self._system.public}: {_jwt(self._operator, self._system, system)}\n"
            "}\n"
        )

    def creds(self, expires_in: int) -> str:
        user = _Key(nkeys.PREFIX_BYTE_USER)
        claims = {"type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
        token = _jwt(self._account, user, claims, exp=int(time.time()) + expires_in)
        return (
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
        )


class _Key:
    def __init__(self, prefix: int) -> None:
        self.seed: bytes = nkeys.encode_seed(os.urandom(32), prefix)
        self.public: str = nkeys.from_seed(bytearray(self.seed)).public_key.decode()


def _jwt(issuer: _Key, subject: _Key, claims: dict[str, Any], **more: int) -> str:
    body = {"iat": int(time.time()), "iss": issuer.public, "sub": subject.public, "name": "test", "nats": claims} | more
    body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, body))
    signature = nkeys.from_seed(bytearray(issuer.seed)).sign(signed)
    return b".".join((signed, _base64(signature))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
