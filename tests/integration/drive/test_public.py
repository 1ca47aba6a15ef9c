"""Public queues: people outside fill one and read another with a plain client of the broker."""

from __future__ import annotations

import asyncio
import json

import nats
from nats.aio.client import Client

from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from tests.support.driving import Site

CODE = b"""
def double(number):
    return {"number": number, "double": 2 * number}
"""
SPEC = {"name": "public", "tasks": [{"name": "double", "python": "work:double", "input": "numbers", "output": "doubles"}]}


async def begin(site: Site, **fields: str) -> tuple[str, str, str]:
    """A workflow with public queues; its id and their names at the broker."""
    queues = {"numbers": f"QU-in-{len(fields)}", "doubles": f"QU-out-{len(fields)}"}
    identity = await site.submit(SPEC, {"code/work.py": CODE}, public=queues, **fields)
    await site.wait(identity, lambda document: document.active, "active queues")
    return identity, queues["numbers"], queues["doubles"]


async def read(client: Client, queue: str, count: int) -> list[dict[str, int]]:
    """Messages of a public output queue, taken for good."""
    subscription = await client.jetstream().pull_subscribe_bind(durable="lease", stream=queue)
    found: list[dict[str, int]] = []
    while len(found) < count:
        for message in await subscription.fetch(count - len(found), timeout=30):
            found.append(json.loads(message.data))
            await message.ack_sync()
    return found


async def test_events_come_from_and_outputs_go_to_plain_clients(site: Site) -> None:
    await site.start_host()
    identity, numbers, doubles = await begin(site)
    await site.start_pilots(identity)
    client = await nats.connect(site.broker_url)
    try:
        stream = client.jetstream()
        for number in range(20):
            await stream.publish(f"ewms.queue.{numbers}", str(number).encode())
        for _ in range(2):  # the second one is the same message
            await stream.publish(f"ewms.queue.{numbers}", b"20", headers={"Nats-Msg-Id": "twenty"})
        found = await read(client, doubles, 21)
        assert sorted(item["number"] for item in found) == list(range(21))
        assert all(item["double"] == 2 * item["number"] for item in found)
        await stream.publish(f"ewms.queue.{numbers}", b"21")
        await site.wish(identity, Wish.FINISH)
        assert await read(client, doubles, 1) == [{"number": 21, "double": 42}]
        document = await site.wait_state(identity, WorkflowState.COMPLETE)
    finally:
        await client.close()
    assert document.counts["accepted"] == 22
    lines = [json.loads(line) for line in site.content(document, "product/outcomes.jsonl").splitlines()]
    assert [line["output"]["number"] for line in lines] == [*range(20), 21, 20]  # in the order of the queue, then by name
    assert lines[-1]["id"] == "twenty"


async def test_killed_hosts_lose_no_message_and_make_none_twice(site: Site) -> None:
    host = await site.start_host("one")
    identity, numbers, doubles = await begin(site)
    await site.start_pilots(identity)
    client = await nats.connect(site.broker_url)
    count = 400

    async def load() -> None:
        for number in range(count):
            await client.jetstream().publish(f"ewms.queue.{numbers}", str(number).encode())
            await asyncio.sleep(0.005)

    loading = asyncio.create_task(load())
    try:
        for name in ("two", "three"):
            before = (await site.document(identity)).counts.get("accepted", 0)
            await site.wait(identity, lambda document: document.counts.get("accepted", 0) > before + 20, "more outcomes")  # noqa: B023
            await host.kill()
            host = await site.start_host(name)
        await loading
        found = await read(client, doubles, count)
        await site.wish(identity, Wish.FINISH)
        document = await site.wait_state(identity, WorkflowState.COMPLETE)
        assert sorted(item["number"] for item in found) == list(range(count))
        assert document.counts["accepted"] == count
    finally:
        loading.cancel()
        await client.close()


def has_event(document: WorkflowDocument) -> bool:
    return "double" in document.tasks and document.tasks["double"].planned == 1


async def test_finished_as_in_ewms_means_stop_now(site: Site) -> None:
    await site.start_host()
    identity, numbers, _ = await begin(site, origin="v1")
    client = await nats.connect(site.broker_url)
    try:
        await client.jetstream().publish(f"ewms.queue.{numbers}", b"1")
        await site.wait(identity, has_event, "the event")
        await site.wish(identity, Wish.FINISH)
        document = await site.wait_state(identity, WorkflowState.COMPLETE, deadline=10)
    finally:
        await client.close()
    assert document.reason == "ended by the user with 1 events unfinished"
