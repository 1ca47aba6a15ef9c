"""What the bearer of an issued NATS credential can do with a client of their own: their queue's work, and nothing else."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from ewms.brokers.base import Depth
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.nats_credentials import NatsCredentials
from ewms.brokers.urls import broker_for, redact
from ewms.core.errors import BrokerRejected, InputError
from ewms.secret_file import read_secret_file
from ewms.wms.access.grants import load_grant, pilot_grant, read_grant
from tests.integration.access.conftest import MINE, OTHERS, NatsSite, issuer_of
from tests.support.raw_nats import RawNats, raw_nats

NEXT = "$JS.API.CONSUMER.MSG.NEXT"
ONE_NOW = b'{"batch":1,"no_wait":true}'
FORBIDDEN_REQUESTS = [
    "$JS.API.INFO",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.NAMES",
    f"$JS.API.STREAM.INFO.{MINE}-work",
    f"$JS.API.STREAM.PURGE.{MINE}-work",
    f"$JS.API.STREAM.DELETE.{MINE}-work",
    f"$JS.API.STREAM.UPDATE.{MINE}-work",
    f"$JS.API.STREAM.MSG.GET.{MINE}-work",
    f"$JS.API.STREAM.MSG.DELETE.{MINE}-work",
    f"$JS.API.DIRECT.GET.{MINE}-work",
    "$JS.API.STREAM.CREATE.mine",
    f"$JS.API.CONSUMER.CREATE.{MINE}-work",
    f"$JS.API.CONSUMER.CREATE.{MINE}-work.spy",
    f"$JS.API.CONSUMER.DURABLE.CREATE.{MINE}-work.spy",
    f"$JS.API.CONSUMER.DELETE.{MINE}-work.lease",
    f"$JS.API.CONSUMER.LIST.{MINE}-work",
    f"$JS.API.CONSUMER.INFO.{OTHERS}-work.lease",
    f"$JS.API.CONSUMER.PAUSE.{MINE}-work.lease",
    f"{NEXT}.{MINE}-reports.lease",
    f"{NEXT}.{OTHERS}-work.lease",
    f"{NEXT}.{OTHERS}-reports.lease",
    f"$JS.ACK.{OTHERS}-work.lease.1.1.1.1.0",
    f"ewms.queue.{MINE}-work",
    f"ewms.queue.{OTHERS}-work",
    f"ewms.queue.{OTHERS}-reports",
    f"ewms.signal.{MINE}-commands",
    f"ewms.signal.{OTHERS}-heartbeats",
    f"ewms.signal.{OTHERS}-commands",
    "ewms.signal.ewms-news",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.CLAIMS.UPDATE",
]
FORBIDDEN_SUBJECTS = [
    ">",
    "_INBOX.>",
    "_INBOX.*.>",
    "_R_.>",
    "$JS.>",
    "$SYS.>",
    "ewms.>",
    "ewms.queue.*",
    f"ewms.queue.{MINE}-work",
    f"ewms.queue.{OTHERS}-work",
    "ewms.signal.*",
    f"ewms.signal.{MINE}-heartbeats",
    f"ewms.signal.{OTHERS}-commands",
    f"ewms.signal.{OTHERS}-heartbeats",
    "ewms.signal.ewms-news",
]


async def pilot_url(site: NatsSite, lifetime: float = 60.0) -> str:
    return await site.credentials.issue(pilot_grant(MINE), lifetime)


async def lease_one(raw: RawNats, queue: str) -> str:
    """Lease a message; the subject that words about it go to."""
    inbox = f"{raw.login.inbox}.pull"
    subscription = await raw.client.subscribe(inbox)
    await raw.client.publish(f"{NEXT}.{queue}.lease", ONE_NOW, reply=inbox)
    message = await subscription.next_msg(2.0)
    assert message.reply.startswith("$JS.ACK.")
    return message.reply


async def untouched(site: NatsSite) -> None:
    """The other workflow's queues are as they were."""
    assert await site.broker.depth(f"{OTHERS}-work") == Depth(1, 0)
    assert await site.broker.depth(f"{OTHERS}-reports") == Depth(0, 0)


async def test_a_pilot_does_its_work(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site)) as raw:
        reply = await lease_one(raw, f"{MINE}-work")
        assert await raw.ask(f"ewms.queue.{MINE}-reports", b"done") is not None
        assert await raw.ask(reply, b"+ACK") == b""
        assert raw.complaints == []
    assert await nats_site.broker.depth(f"{MINE}-work") == Depth(0, 0)
    assert await nats_site.broker.depth(f"{MINE}-reports") == Depth(1, 0)


async def test_a_pilot_can_ask_for_nothing_else(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site)) as raw:
        for subject in FORBIDDEN_REQUESTS:
            before = len(raw.complaints)
            assert await raw.ask(subject) is None, subject
            assert len(raw.complaints) == before + 1, subject
    await untouched(nats_site)
    assert await nats_site.broker.depth(f"{MINE}-work") == Depth(1, 0)


async def test_a_pilot_can_listen_to_nothing_else(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site)) as raw:
        for subject in FORBIDDEN_SUBJECTS:
            assert await raw.is_denied(subject), subject
        assert not await raw.is_denied(f"ewms.signal.{MINE}-commands")


async def test_a_pilot_does_not_hear_the_answers_of_another(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site)) as mine, raw_nats(await pilot_url(nats_site)) as fellow:
        assert mine.login.inbox != fellow.login.inbox
        assert await mine.is_denied(f"{fellow.login.inbox}.>")


@pytest.mark.parametrize(
    "target",
    [
        f"ewms.queue.{OTHERS}-work",
        f"ewms.queue.{OTHERS}-reports",
        f"$JS.API.STREAM.DELETE.{OTHERS}-work",
        f"ewms.signal.{OTHERS}-commands",
        f"ewms.queue.{MINE}-work",
    ],
)
async def test_answers_cannot_be_sent_to_where_the_pilot_may_not_publish(nats_site: NatsSite, target: str) -> None:
    await nats_site.broker.publish(f"{MINE}-work", b"", "an empty body is a valid request to delete a stream")
    async with nats_site.broker.signals(f"{OTHERS}-commands") as commands, raw_nats(await pilot_url(nats_site)) as raw:
        await raw.client.publish(f"{NEXT}.{MINE}-work.lease", b'{"batch":2,"no_wait":true}', reply=target)
        await raw.client.publish(f"ewms.queue.{MINE}-reports", b"report", reply=target)
        await raw.client.publish(f"$JS.API.CONSUMER.INFO.{MINE}-work.lease", b"", reply=target)
        await raw.client.publish(f"$JS.ACK.{MINE}-work.lease.1.1.1.1.0", b"+NXT", reply=target)
        await raw.settle()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(commands), 0.1)
    await untouched(nats_site)
    depth = await nats_site.broker.depth(f"{MINE}-work")
    assert depth.ready + depth.leased <= 2  # a forged ack settles what is the pilot's to settle; nothing was added


async def test_loaders_and_readers_go_one_way(nats_site: NatsSite) -> None:
    await nats_site.broker.declare("QU-in", 30.0)
    await nats_site.broker.declare("QU-out", 30.0)
    await nats_site.broker.publish("QU-out", b"result", "1")
    async with raw_nats(await nats_site.credentials.issue(load_grant(MINE, "QU-in"), 60.0)) as loader:
        assert await loader.ask("ewms.queue.QU-in", b"event") is not None
        for subject in (f"{NEXT}.QU-in.lease", "ewms.queue.QU-out", f"ewms.queue.{MINE}-work", f"{NEXT}.QU-out.lease"):
            assert await loader.ask(subject, ONE_NOW) is None, subject
    async with raw_nats(await nats_site.credentials.issue(read_grant(MINE, "QU-out"), 60.0)) as reader:
        assert await reader.ask(await lease_one(reader, "QU-out"), b"+ACK") == b""
        for subject in ("ewms.queue.QU-out", "ewms.queue.QU-in", f"{NEXT}.QU-in.lease", f"{NEXT}.{MINE}-work.lease"):
            assert await reader.ask(subject, ONE_NOW) is None, subject
    assert await nats_site.broker.depth("QU-in") == Depth(1, 0)
    assert await nats_site.broker.depth("QU-out") == Depth(0, 0)


async def test_plain_clients_use_public_queues_by_their_own_means(nats_site: NatsSite) -> None:
    await nats_site.broker.declare("QU-both", 30.0)
    async with raw_nats(await nats_site.credentials.issue(load_grant(MINE, "QU-both"), 60.0)) as loader:
        for _ in range(2):
            await loader.client.jetstream().publish("ewms.queue.QU-both", b"event", headers={"Nats-Msg-Id": "event-1"})
    async with raw_nats(await nats_site.credentials.issue(read_grant(MINE, "QU-both"), 60.0)) as reader:
        subscription = await reader.client.jetstream().pull_subscribe_bind(durable="lease", stream="QU-both")
        [message] = await subscription.fetch(2, timeout=0.5)
        assert message.data == b"event"
        await message.ack_sync()
        assert reader.complaints == []
    assert await nats_site.broker.depth("QU-both") == Depth(0, 0)


async def test_who_may_not_revoke_is_told_what_to_check(nats_site: NatsSite) -> None:
    credentials = NatsCredentials(
        account=read_secret_file(nats_site.folder / "account.seed"),
        operator=read_secret_file(nats_site.folder / "operator.seed"),
        system=read_secret_file(nats_site.folder / "service.url"),
        server=nats_site.address,
        patience=2.0,
    )
    with pytest.raises(BrokerRejected, match=r"check \[access.nats\] account and system") as caught:
        await credentials.revoke(MINE)
    assert "\n" not in str(caught.value)
    await credentials.close()


async def test_revocation_ends_connections_and_lets_none_come_about(nats_site: NatsSite) -> None:
    url = await pilot_url(nats_site)
    bystander = await nats_site.credentials.issue(pilot_grant(OTHERS), 60.0)
    async with raw_nats(url) as raw, raw_nats(bystander) as other:
        began = time.monotonic()
        await nats_site.credentials.revoke(MINE)
        while raw.client.is_connected:
            assert time.monotonic() - began < 2.0
            await asyncio.sleep(0.01)
        assert await other.ask(f"ewms.queue.{OTHERS}-reports", b"still here") is not None
    with pytest.raises(BrokerRejected, match="refuses the credentials"):
        await broker_for(url).connect()


async def test_a_resumed_workflow_has_credentials_again(nats_site: NatsSite) -> None:
    await nats_site.credentials.revoke(MINE)
    await nats_site.credentials.revoke(MINE)
    async with raw_nats(await pilot_url(nats_site)) as raw:
        assert await raw.ask(f"ewms.queue.{MINE}-reports", b"done") is not None


async def test_what_is_revoked_stays_so_when_server_and_service_start_again(nats_site: NatsSite) -> None:
    url, kept = await pilot_url(nats_site), await nats_site.credentials.issue(pilot_grant(OTHERS), 60.0)
    await nats_site.credentials.revoke(MINE)
    await nats_site.broker.close()
    await nats_site.server.__aexit__(None, None, None)
    async with EmbeddedNats(nats_site.folder, accounts=True, keep_port=True) as server:
        with pytest.raises(BrokerRejected, match="refuses the credentials"):
            await broker_for(url).connect()
        async with raw_nats(kept) as raw:
            assert await raw.ask(f"ewms.queue.{OTHERS}-reports", b"still here") is not None
        again = issuer_of(nats_site.folder, redact(server.url))
        await again.revoke(OTHERS)
        await again.close()
        for revoked in (url, kept):
            with pytest.raises(BrokerRejected, match="refuses the credentials"):
                await broker_for(revoked).connect()


async def test_the_service_logs_in_as_before_when_the_server_starts_again(nats_site: NatsSite) -> None:
    before = {path.name: path.read_text() for path in nats_site.folder.glob("*.url")}
    await nats_site.broker.close()
    await nats_site.server.__aexit__(None, None, None)
    async with EmbeddedNats(nats_site.folder, accounts=True, keep_port=True):
        assert {path.name: path.read_text() for path in nats_site.folder.glob("*.url")} == before


async def test_a_server_without_its_keys_does_not_begin_anew(nats_site: NatsSite) -> None:
    await nats_site.broker.close()
    await nats_site.server.__aexit__(None, None, None)
    (nats_site.folder / "keys.json").write_text("{")
    with pytest.raises(InputError, match=r"keys\.json are damaged; restore the file from a backup"):
        await EmbeddedNats(nats_site.folder, accounts=True).__aenter__()


async def test_many_workflows_end_at_once_without_disturbing_those_that_go_on(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site)) as raw:
        ending = asyncio.gather(*(nats_site.credentials.revoke(f"WF-{number:08x}-end") for number in range(200)))
        sent = 0
        while not ending.done():
            assert await raw.ask(f"ewms.queue.{MINE}-reports", b"done") is not None
            sent += 1
        await ending
        assert raw.complaints == []
    assert sent > 0
    assert await nats_site.broker.depth(f"{MINE}-reports") == Depth(sent, 0)


async def test_more_is_revoked_than_servers_take(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "broker"
    async with EmbeddedNats(folder, accounts=True, max_payload=16 * 1024) as server:
        credentials = issuer_of(folder, redact(server.url))
        try:
            for begin in range(0, 400, 50):
                await asyncio.gather(*(credentials.revoke(f"WF-{number:08x}-end") for number in range(begin, begin + 50)))
            url = await credentials.issue(pilot_grant(MINE), 60.0)
            await credentials.revoke(MINE)
            with pytest.raises(BrokerRejected, match="refuses the credentials"):
                await broker_for(url).connect()
        finally:
            await credentials.close()
    assert any("revocations_dropped" in record.getMessage() for record in caplog.records)


async def test_a_credential_ends_at_its_time(nats_site: NatsSite) -> None:
    async with raw_nats(await pilot_url(nats_site, lifetime=0.5)) as raw:
        began = time.monotonic()
        while raw.client.is_connected:
            assert time.monotonic() - began < 4.0
            await asyncio.sleep(0.02)


async def test_nothing_that_was_left_is_open_to_others(nats_site: NatsSite) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in nats_site.folder.iterdir() if path.is_file()}
    secret = {"keys.json", "service.url", "system.url", "operator.seed", "account.seed", "server.json", "nats.conf", "lock"}
    assert secret <= modes.keys()
    assert {name for name in secret if modes[name]} == set()
    assert nats_site.folder.stat().st_mode & 0o077 == 0
    seeds = msgspec.json.decode((nats_site.folder / "keys.json").read_bytes(), type=dict[str, str])
    log = (nats_site.folder / "nats.log").read_text() + (nats_site.folder / "nats.conf").read_text()
    assert not any(seed in log for seed in [*seeds.values(), read_secret_file(nats_site.folder / "service.url")])
