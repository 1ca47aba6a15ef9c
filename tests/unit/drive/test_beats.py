"""Who lives, judged by the watcher's clock alone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewms.core.errors import StaleEpoch
from ewms.drive.beats import Beats
from ewms.stores.collections import HOSTS
from ewms.stores.store import Insert, Store

LEASE = 60.0


class Clock:
    """A host's own."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_a_host_that_beats_lives(store: Store) -> None:
    clock = Clock()
    watcher, host = Beats(store, "watcher", LEASE, clock), Beats(store, "host", LEASE)
    await host.announce()
    for _ in range(20):
        assert await watcher.look() == {host.host_id: True}
        clock.now += LEASE / 3
        await host.beat()


async def test_a_host_is_taken_for_dead_after_a_lease_of_the_watcher_s_clock(store: Store) -> None:
    clock = Clock(1e9)  # it runs ahead of everybody's
    watcher, host = Beats(store, "watcher", LEASE, clock), Beats(store, "host", LEASE)
    await host.announce()
    assert await watcher.look() == {host.host_id: True}
    clock.now += LEASE - 1
    assert await watcher.look() == {host.host_id: True}
    clock.now += 1
    assert await watcher.look() == {host.host_id: False}
    await host.beat()
    assert await watcher.look() == {host.host_id: True}


async def test_a_host_that_others_removed_learns_of_it(store: Store) -> None:
    watcher, host = Beats(store, "watcher", LEASE), Beats(store, "host", LEASE)
    await host.announce()
    await watcher.withdraw(host.host_id)
    with pytest.raises(StaleEpoch, match=f"driver host {host.host_id} was silent for a lease and taken for dead"):
        await host.beat()
    assert await watcher.look() == {}


async def test_a_host_does_not_watch_itself_nor_what_is_no_driver_host(store: Store) -> None:
    host = Beats(store, "host", LEASE)
    await host.announce()
    await store.write(Insert(collection=HOSTS, key="tms", body={"role": "tms", "beat": 1}))
    assert await host.look() == {}


def test_no_host_is_taken_for_its_predecessor(store: Store) -> None:
    assert Beats(store, "host", LEASE).host_id != Beats(store, "host", LEASE).host_id


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.floats(0, LEASE / 2), st.booleans()), max_size=20))
async def test_a_host_lives_exactly_while_its_last_seen_beat_is_younger_than_a_lease(
    store: Store, steps: list[tuple[float, bool]]
) -> None:
    clock = Clock()
    watcher, host = Beats(store, "watcher", LEASE, clock), Beats(store, "host", LEASE)
    await host.announce()
    await watcher.look()
    seen_at = 0.0
    for pause, beats in steps:
        clock.now += pause
        if beats:
            await host.beat()
            seen_at = clock.now
        assert (await watcher.look())[host.host_id] is (clock.now - seen_at < LEASE)
    await host.withdraw()
