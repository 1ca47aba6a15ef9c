"""What every broker keeps, the cases that break the defaults of NATS and RabbitMQ included."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

from ewms.brokers.base import Broker, Consumer, Delivery, Depth, Message
from ewms.core.errors import BrokerRejected, BrokerUnavailable, MessageTooLarge

Connect = Callable[[], Awaitable[Broker]]

LONG = 30.0
"""A lease that no test outlives: what is lost does not come back in time."""
SHORT = 0.7
"""A lease that tests wait for."""
SOON = 5.0


async def fill(broker: Broker, queue: str, count: int, prefix: str = "m") -> list[bytes]:
    bodies = [f"{prefix}{number}".encode() for number in range(count)]
    await asyncio.gather(*(broker.publish(queue, body, body.decode()) for body in bodies))
    return bodies


async def lease_all(consumer: Consumer, count: int, at_once: int = 256) -> list[Delivery]:
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        more = await consumer.lease(min(at_once, count - len(deliveries)), SOON)
        assert more, f"only {len(deliveries)} of {count} messages came"
        deliveries += more
    return deliveries


async def has_depth(broker: Broker, queue: str, depth: Depth) -> None:
    deadline = time.monotonic() + SOON
    while (found := await broker.depth(queue)) != depth:
        assert time.monotonic() < deadline, f"depth is {found}, not {depth}"
        await asyncio.sleep(0.01)


async def vanish(broker: Broker) -> None:
    """Look after nothing any more: leases run out, or end with the connection where that is the lease."""
    if not broker.capabilities.renewable_lease:
        await broker.close()


async def test_messages_come_as_published_and_in_order(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    bodies = [b"", bytes(range(256)), b"x" * 100_000, *(str(number).encode() for number in range(20))]
    for number, body in enumerate(bodies):
        await broker.publish(queue, body, str(number))
    async with await broker.consumer(queue) as consumer:
        deliveries = await lease_all(consumer, len(bodies), at_once=7)
    assert [delivery.body for delivery in deliveries] == bodies
    assert not any(delivery.redelivered for delivery in deliveries)


async def test_lease_takes_no_more_than_asked_for(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    await fill(broker, queue, 5)
    async with await broker.consumer(queue) as consumer:
        assert len(await consumer.lease(2, SOON)) == 2
        assert await broker.depth(queue) == Depth(ready=3, leased=2)


async def test_lease_of_an_empty_queue_returns_after_its_wait(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    async with await broker.consumer(queue) as consumer:
        assert await consumer.lease(1, 0.0) == []
        began = time.monotonic()
        assert await consumer.lease(1, 0.3) == []
        assert 0.25 < time.monotonic() - began < 2.0


async def test_lease_returns_as_soon_as_there_is_a_message(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    async with await broker.consumer(queue) as consumer:
        waiting = asyncio.create_task(consumer.lease(10, LONG))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await broker.publish(queue, b"now", "1")
        [delivery] = await waiting
        assert delivery.body == b"now"
        assert time.monotonic() - began < 1.0


async def test_hundreds_of_publishes_at_once(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    bodies = await fill(broker, queue, 800)
    async with await broker.consumer(queue) as consumer:
        deliveries = await lease_all(consumer, len(bodies))
    assert sorted(delivery.body for delivery in deliveries) == sorted(bodies)


async def test_a_task_three_times_longer_than_the_lease_is_never_delivered_twice(broker: Broker, queue: str) -> None:
    await broker.declare(queue, SHORT)
    await broker.publish(queue, b"long", "1")
    async with await broker.consumer(queue) as worker, await broker.consumer(queue) as other:
        [delivery] = await worker.lease(1, SOON)
        end = time.monotonic() + 3 * SHORT
        while time.monotonic() < end:
            assert await other.lease(1, SHORT / 3) == []
            await delivery.renew()
        await delivery.ack()
        assert await other.lease(1, 1.5 * SHORT) == []
    await has_depth(broker, queue, Depth(0, 0))


async def test_a_lost_lease_comes_back_flagged(connect: Connect, broker: Broker, queue: str) -> None:
    await broker.declare(queue, SHORT)
    await broker.publish(queue, b"once", "1")
    holder = await connect()
    async with await broker.consumer(queue) as other:
        [first] = await (await holder.consumer(queue)).lease(1, SOON)
        began = time.monotonic()
        await vanish(holder)
        [second] = await other.lease(1, SOON)
        assert (first.redelivered, second.redelivered) == (False, True)
        assert second.body == b"once"
        assert time.monotonic() - began < 3 * SHORT
        assert time.monotonic() - began > 0.5 * SHORT or not broker.capabilities.renewable_lease


async def test_twenty_five_redeliveries(connect: Connect, broker: Broker, queue: str) -> None:
    await broker.declare(queue, 0.1)
    await broker.publish(queue, b"poison", "1")
    flags = []
    for _ in range(26):
        holder = await connect()
        flags += [delivery.redelivered for delivery in await (await holder.consumer(queue)).lease(1, SOON)]
        await vanish(holder)
    assert flags == [False] + 25 * [True]


async def test_a_late_ack_ends_the_message_for_everybody(broker: Broker, queue: str) -> None:
    if not broker.capabilities.renewable_lease:
        pytest.skip("a lease that ended with its connection cannot be acked any more: see test_rabbitmq_restart.py")
    await broker.declare(queue, SHORT)
    await broker.publish(queue, b"twice", "1")
    async with await broker.consumer(queue) as stale, await broker.consumer(queue) as current:
        [first] = await stale.lease(1, SOON)
        [second] = await current.lease(1, SOON)
        await first.renew()
        await first.ack()
        await has_depth(broker, queue, Depth(0, 0))
        await second.renew()
        await second.ack()
        await second.ack()
        assert await current.lease(1, 1.5 * SHORT) == []


async def test_more_than_a_thousand_messages_can_be_leased_at_once(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    await fill(broker, queue, 1200)
    async with await broker.consumer(queue) as consumer:
        deliveries = await lease_all(consumer, 1200)
        assert await broker.depth(queue) == Depth(ready=0, leased=1200)
        for delivery in deliveries:
            await delivery.ack()
        await has_depth(broker, queue, Depth(0, 0))


async def test_more_than_512_idle_consumers_are_all_served(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    consumers = [await broker.consumer(queue) for _ in range(600)]
    waiting = [asyncio.create_task(consumer.lease(1, LONG)) for consumer in consumers]
    await asyncio.sleep(0.2)
    bodies = await fill(broker, queue, 600)
    taken = await asyncio.wait_for(asyncio.gather(*waiting), SOON * 2)
    assert sorted(delivery.body for [delivery] in taken) == sorted(bodies)


async def test_a_cancelled_lease_keeps_nothing_from_others(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    async with await broker.consumer(queue) as cancelled, await broker.consumer(queue) as other:
        waiting = asyncio.create_task(cancelled.lease(5, LONG))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        bodies = await fill(broker, queue, 5)
        deliveries = await lease_all(other, 5)
        assert sorted(delivery.body for delivery in deliveries) == bodies


async def test_leases_cancelled_at_any_moment_lose_and_delay_nothing(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    received: list[bytes] = []

    async def take(consumer: Consumer) -> None:
        deliveries = await consumer.lease(3, LONG)
        received.extend(delivery.body for delivery in deliveries)  # before an ack, in which this may be cancelled
        for delivery in deliveries:
            await delivery.ack()

    async with await broker.consumer(queue) as consumer:
        publishing = asyncio.create_task(fill(broker, queue, 300))
        for step in range(60):
            call = asyncio.create_task(take(consumer))
            await asyncio.sleep(0.0005 * (step % 8))
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        bodies = await publishing
        async with await broker.consumer(queue) as other:
            deadline = time.monotonic() + SOON
            while len(received) < len(bodies) and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(take(other), 0.2)
    assert sorted(received) == sorted(bodies)


async def test_one_consumer_can_be_asked_by_several_tasks(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    async with await broker.consumer(queue) as consumer:
        calls = [asyncio.create_task(consumer.lease(2, SOON)) for _ in range(3)]
        await asyncio.sleep(0.05)
        bodies = await fill(broker, queue, 6)
        taken = [delivery.body for call in calls for delivery in await call]
        rest = await lease_all(consumer, 6 - len(taken)) if len(taken) < 6 else []
    assert sorted(taken + [delivery.body for delivery in rest]) == bodies


async def test_a_message_above_the_limit_is_refused_and_harms_nothing(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    limit = broker.capabilities.max_message_bytes
    with pytest.raises(MessageTooLarge, match=str(limit)):
        await broker.publish(queue, bytes(limit + 1), "large")
    await broker.publish(queue, bytes(limit), "i" * 200)
    async with await broker.consumer(queue) as consumer:
        [delivery] = await consumer.lease(1, SOON)
    assert len(delivery.body) == limit


async def test_a_repeated_publish_is_dropped_by_a_broker_that_can(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    for message_id in ("a", "a", "b", "a"):
        await broker.publish(queue, message_id.encode(), message_id)
    assert await broker.depth(queue) == Depth(ready=2 if broker.capabilities.drops_repeats else 4, leased=0)


@pytest.mark.parametrize("count", [1, 3, 40, 700])
async def test_many_messages_are_published_together(broker: Broker, queue: str, count: int) -> None:
    await broker.declare(queue, LONG)
    bodies = [f"{number}-{'x' * (number % 97)}".encode() for number in range(count)]
    await broker.publish_all(queue, [Message(str(number), body) for number, body in enumerate(bodies)])
    async with await broker.consumer(queue) as consumer:
        deliveries = await lease_all(consumer, count)
    assert sorted(delivery.body for delivery in deliveries) == sorted(bodies)
    assert not any(delivery.redelivered for delivery in deliveries)


async def test_one_of_many_above_the_limit_is_refused(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    large = Message("large", bytes(broker.capabilities.max_message_bytes + 1))
    small = [Message(str(number), b"small") for number in range(40)]
    with pytest.raises(MessageTooLarge):
        await broker.publish_all(queue, [*small[:20], large, *small[20:]])
    await broker.publish(queue, b"next", "next")


async def test_what_is_published_together_may_be_repeated(broker: Broker, queue: str) -> None:
    if not broker.capabilities.drops_repeats:
        pytest.skip("this broker keeps repeats")
    await broker.declare(queue, LONG)
    messages = [Message(str(number), str(number).encode()) for number in range(100)]
    for message in messages[30:50]:
        await broker.publish(queue, message.body, message.message_id)
    for _ in range(2):
        await broker.publish_all(queue, messages)
        assert await broker.depth(queue) == Depth(ready=100, leased=0)


async def test_depth_is_exact(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    assert await broker.depth(queue) == Depth(0, 0)
    await fill(broker, queue, 5)
    assert await broker.depth(queue) == Depth(ready=5, leased=0)
    async with await broker.consumer(queue) as consumer:
        first, _ = await lease_all(consumer, 2)
        assert await broker.depth(queue) == Depth(ready=3, leased=2)
        await first.ack()
        await has_depth(broker, queue, Depth(ready=3, leased=1))


async def test_an_inspection_tells_what_is_leased_again_and_who_asks(connect: Connect, broker: Broker, queue: str) -> None:
    await broker.declare(queue, SHORT)
    await fill(broker, queue, 3)
    holder = await connect()
    [_] = await (await holder.consumer(queue)).lease(1, SOON)
    await vanish(holder)
    async with await broker.consumer(queue) as consumer:
        again: list[Delivery] = []
        while not any(delivery.redelivered for delivery in again):
            again += await consumer.lease(3, SHORT / 3)
            await asyncio.gather(*(delivery.renew() for delivery in again))
        waiting = asyncio.create_task(consumer.lease(3, LONG))
        await asyncio.sleep(0.1)
        found = await broker.inspect(queue)
        waiting.cancel()
        assert (found.ready, found.leased, found.redelivered, found.dead) == (0, 3, 1, 0)
        assert found.consumers >= 1
    with pytest.raises(BrokerRejected, match="does not exist"):
        await broker.inspect(queue + "s")


async def test_purge_drops_leased_messages_too(broker: Broker, queue: str) -> None:
    await broker.declare(queue, SHORT)
    await fill(broker, queue, 4)
    async with await broker.consumer(queue) as consumer:
        [leased] = await consumer.lease(1, SOON)
        await broker.purge(queue)
        await has_depth(broker, queue, Depth(0, 0))
        assert await consumer.lease(1, 1.5 * SHORT) == []
        await leased.renew()
        await leased.ack()
        await broker.publish(queue, b"after", "after")
        [delivery] = await consumer.lease(1, SOON)
        assert delivery.body == b"after"
        assert not delivery.redelivered


async def test_declare_keeps_messages_and_takes_a_new_lease(connect: Connect, broker: Broker, queue: str) -> None:
    identity = await broker.declare(queue, LONG)
    await broker.publish(queue, b"kept", "1")
    assert await broker.declare(queue, SHORT) == identity
    holder = await connect()
    async with await broker.consumer(queue) as consumer:
        [first] = await (await holder.consumer(queue)).lease(1, SOON)
        await vanish(holder)
        [second] = await consumer.lease(1, SOON)
    assert first.body == second.body == b"kept"
    assert second.redelivered


async def test_a_queue_made_anew_has_another_identity(broker: Broker, queue: str) -> None:
    identity = await broker.declare(queue, LONG)
    await broker.publish(queue, b"gone", "1")
    await broker.delete(queue)
    assert await broker.declare(queue, LONG) != identity
    assert await broker.depth(queue) == Depth(0, 0)


async def test_a_deleted_queue_is_an_error_at_once(broker: Broker, queue: str) -> None:
    await broker.delete(queue)
    await broker.declare(queue, LONG)
    consumer = await broker.consumer(queue)
    waiting = asyncio.create_task(consumer.lease(1, LONG))
    await asyncio.sleep(0.05)
    await broker.delete(queue)
    await broker.delete(queue)
    with pytest.raises(BrokerRejected, match="does not exist"):
        await asyncio.wait_for(waiting, SOON)
    with pytest.raises(BrokerRejected, match="does not exist"):
        await asyncio.wait_for(broker.publish(queue, b"", "1"), SOON)
    with pytest.raises(BrokerRejected, match="does not exist"):
        await broker.depth(queue)
    with pytest.raises(BrokerRejected, match="does not exist"):
        await broker.purge(queue)


async def test_two_connections_share_a_queue(connect: Connect, broker: Broker, queue: str) -> None:
    other = await connect()
    await broker.declare(queue, LONG)
    assert await other.declare(queue, LONG) == await broker.declare(queue, LONG)
    bodies = await fill(broker, queue, 60)
    async with await broker.consumer(queue) as one, await other.consumer(queue) as two:
        taken = [delivery for _ in range(6) for consumer in (one, two) for delivery in await consumer.lease(5, SOON)]
    assert sorted(delivery.body for delivery in taken) == sorted(bodies)
    assert not any(delivery.redelivered for delivery in taken)


async def test_what_was_handed_out_can_be_acked_after_the_consumer_is_closed(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    await fill(broker, queue, 2)
    async with await broker.consumer(queue) as consumer:
        [delivery] = await consumer.lease(1, SOON)
    await delivery.renew()
    await delivery.ack()
    await has_depth(broker, queue, Depth(ready=1, leased=0))
    with pytest.raises(BrokerUnavailable, match="closed"):
        await consumer.lease(1, SOON)


async def test_closing_a_consumer_ends_its_calls(broker: Broker, queue: str) -> None:
    await broker.declare(queue, LONG)
    consumer = await broker.consumer(queue)
    waiting = asyncio.create_task(consumer.lease(1, LONG))
    await asyncio.sleep(0.05)
    await consumer.close()
    with pytest.raises(BrokerUnavailable, match="closed"):
        await asyncio.wait_for(waiting, SOON)


async def test_after_close_everything_says_so(connect: Connect, queue: str) -> None:
    broker = await connect()
    await broker.declare(queue, LONG)
    await fill(broker, queue, 1)
    [delivery] = await (await broker.consumer(queue)).lease(1, SOON)
    await broker.close()
    await broker.close()
    with pytest.raises(BrokerUnavailable, match="closed"):
        await broker.publish(queue, b"", "2")
    with pytest.raises(BrokerUnavailable, match="closed"):
        await broker.depth(queue)
    with pytest.raises(BrokerUnavailable, match="closed"):
        await delivery.ack()
    await broker.signal("topic", b"nobody hears")


async def test_signals_reach_everybody_who_listens(connect: Connect, broker: Broker, queue: str) -> None:
    other = await connect()
    await broker.signal(queue, b"nobody hears")
    async with broker.signals(queue) as here, other.signals(queue) as there, other.signals("elsewhere") as elsewhere:
        for number in range(3):
            await broker.signal(queue, b"%d" % number)
        for listener in (here, there):
            assert [await asyncio.wait_for(anext(listener), SOON) for _ in range(3)] == [b"0", b"1", b"2"]
        await broker.signal("elsewhere", b"other topic")
        assert await asyncio.wait_for(anext(elsewhere), SOON) == b"other topic"
    await broker.signal(queue, b"nobody hears any more")


async def test_a_signal_too_large_is_dropped(broker: Broker, queue: str) -> None:
    async with broker.signals(queue) as listener:
        await broker.signal(queue, bytes(broker.capabilities.max_message_bytes + 5000))
        await broker.signal(queue, b"small")
        assert await asyncio.wait_for(anext(listener), SOON) == b"small"
