"""A driver host on RabbitMQ: public queues by a plain AMQP client, takeover by another host.

RabbitMQ drops no repeats: outputs that a killed host may have published come again, under the same message ids.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiormq

from ewms.core.service.phases import Wish, WorkflowState
from tests.support.driving import Site, open_site
from tests.support.rabbitmq import RabbitmqServer

CODE = b"""
def double(number):
    return {"number": number, "double": 2 * number}
"""
SPEC = {"name": "public", "tasks": [{"name": "double", "python": "work:double", "input": "numbers", "output": "doubles"}]}
COUNT = 60


async def load(url: str, queue: str, numbers: range) -> None:
    """Publish by the default exchange; every other message has an id."""
    connection = await aiormq.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    for number in numbers:
        message_id = f"n{number}" if number % 2 else None
        properties = aiormq.spec.Basic.Properties(message_id=message_id, delivery_mode=2)
        await channel.basic_publish(str(number).encode(), routing_key=queue, properties=properties)
    await connection.close()


async def read(url: str, queue: str, count: int) -> list[int]:
    """Take messages until so many different ones have come; one that comes again says the same."""
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    found: dict[str | None, bytes] = {}
    async with asyncio.timeout(60):
        while len(found) < count:
            message = await channel.basic_get(queue, no_ack=True)
            if message.body:
                assert found.setdefault(message.header.properties.message_id, message.body) == message.body
            else:
                await asyncio.sleep(0.05)
    await connection.close()
    return sorted(json.loads(body)["number"] for body in found.values())


async def test_public_queues_and_a_killed_host(rabbitmq: RabbitmqServer, tmp_path: Path) -> None:
    async with open_site(tmp_path, rabbitmq.url()) as site:
        await drive(site, rabbitmq.url())


async def drive(site: Site, url: str) -> None:
    host = await site.start_host("one")
    queues = {"numbers": f"{site.folder.name}-in", "doubles": f"{site.folder.name}-out"}
    identity = await site.submit(SPEC, {"code/work.py": CODE}, public=queues)
    await site.start_pilots(identity)
    await load(url, queues["numbers"], range(COUNT // 2))
    await site.wait(identity, lambda document: document.counts.get("accepted", 0) > 5, "outcomes")
    await host.kill()
    await site.start_host("two")
    await load(url, queues["numbers"], range(COUNT // 2, COUNT))
    assert await read(url, queues["doubles"], COUNT) == list(range(COUNT))
    await site.wish(identity, Wish.FINISH)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.counts["accepted"] == COUNT
