"""Leases, renewals, reports and acks: nothing is acked before all of it is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ewms.brokers.base import Depth
from ewms.core.codecs import Payload
from ewms.core.errors import BrokerRejected
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]


async def test_report_comes_before_the_ack(rig: Rig, python_task: Make) -> None:
    await rig.send(*range(10))
    rig.start(python_task("plain:echo"))
    await rig.settled()
    assert [entry for entry in rig.broker.log if entry[0] in {"publish", "ack"}] == [("publish", "reports"), ("ack", "work")]


async def test_no_ack_while_the_report_is_not_confirmed(rig: Rig, python_task: Make) -> None:
    rig.broker.gate.clear()
    await rig.send(1, singly=True)
    rig.start(python_task("plain:echo"))
    await rig.until(lambda: any(heartbeat.done == 1 for heartbeat in rig.heartbeats))
    assert ("ack", "work") not in rig.broker.log
    rig.broker.gate.set()
    await rig.settled()
    assert ("ack", "work") in rig.broker.log


async def test_slot_goes_on_while_a_report_is_under_way(rig: Rig, python_task: Make) -> None:
    rig.broker.gate.clear()
    await rig.send(*range(20), singly=True)
    rig.start(python_task("plain:echo"))
    await rig.until(lambda: any(heartbeat.done == 16 for heartbeat in rig.heartbeats))
    assert await rig.broker.depth("work") == Depth(ready=4, leased=16)  # but not without bounds
    rig.broker.gate.set()
    assert len(await rig.outcomes(20)) == 20
    published = [entry for entry in rig.broker.log if entry == ("publish", "reports")]
    assert 2 <= len(published) < 10  # what came while the first was under way shares messages


async def test_nothing_is_acked_when_the_broker_refuses_the_report(rig: Rig, python_task: Make) -> None:
    rig.broker.refusal = BrokerRejected("no permission to publish")
    await rig.send(1, 2)
    assert await rig.start(python_task("plain:echo")) == 5
    assert ("ack", "work") not in rig.broker.log
    assert rig.heartbeats[-1].reason == "no permission to publish"


async def test_leases_only_what_it_has_slots_for(rig: Rig, python_task: Make) -> None:
    await rig.send(*[0.3] * 6, singly=True)
    rig.start(python_task("plain:sleeps"), slots=2)
    await rig.until(lambda: any(len(heartbeat.holds) == 2 for heartbeat in rig.heartbeats))
    assert await rig.broker.depth("work") == Depth(ready=4, leased=2)
    await rig.outcomes(6)
    assert ("lease", "2") in rig.broker.log
    assert not [entry for entry in rig.broker.log if entry[0] == "lease" and entry[1] not in {"1", "2"}]


async def test_slots_work_at_once(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(*[1.5] * 3, singly=True)
    rig.start(python_task("plain:span"), slots=3)
    spans = await rig.values(ids)
    assert max(start for start, _ in spans) < min(end for _, end in spans)


async def test_lease_is_renewed_while_a_task_runs(hasty_rig: Rig, python_task: Make) -> None:
    rig = hasty_rig
    await rig.send(2.4)
    rig.start(python_task("plain:sleeps"))
    other = await rig.broker.inner.consumer("work")
    await rig.until(lambda: any(heartbeat.holds for heartbeat in rig.heartbeats))
    assert await other.lease(1, 2.0) == []
    assert await rig.values(["e0"]) == [2.4]
    assert rig.broker.log.count(("renew", "work")) >= 8


async def test_redelivered_message_is_not_run(hasty_rig: Rig, python_task: Make, tmp_path: Path) -> None:
    rig = hasty_rig
    await rig.send(str(tmp_path / "pids"), "other")
    vanished = await rig.broker.inner.consumer("work")
    assert len(await vanished.lease(1, 1.0)) == 1
    rig.start(python_task("violent:family"))
    outcomes = await rig.outcomes(2)
    assert [(type(o), getattr(o, "kind", None)) for o in outcomes.values()] == [(Failure, Kind.VANISHED)] * 2
    await rig.settled()
    assert not (tmp_path / "pids").exists()


async def test_long_bundle_is_reported_in_parts(rig: Rig, python_task: Make) -> None:
    await rig.send(*[0.3] * 6)
    rig.start(python_task("plain:sleeps"))
    await rig.outcomes(6)
    assert 2 <= len(rig.reports) <= 3
    assert all(report.busy >= 0.25 * len(report.results) for report in rig.reports)
    await rig.settled()
    log = [entry for entry in rig.broker.log if entry[0] in {"publish", "ack"}]
    assert log[-1] == ("ack", "work")
    assert log.count(("ack", "work")) == 1


async def test_outcome_waits_no_second_while_the_next_event_runs(rig: Rig, python_task: Make) -> None:
    await rig.send(0.05, 30.0)
    rig.start(python_task("plain:sleeps"), grace=0.1)
    assert len(await rig.outcomes(1, within=20)) == 1


async def test_reports_keep_within_the_limit(rig: Rig, python_task: Make) -> None:
    values = await rig.run(python_task("plain:big"), *[200_000] * 12)
    assert {len(value) for value in values} == {200_000}
    assert len(rig.reports) >= 3


async def test_many_failures_keep_within_the_limit(rig: Rig, python_task: Make) -> None:
    values = await rig.run(python_task("violent:complain"), *range(200))
    assert all(isinstance(value, Failure) for value in values)
    assert len(rig.reports) >= 2


async def test_large_bodies_go_by_reference(rig: Rig, python_task: Make, tmp_path: Path) -> None:
    blobs = {"blob_url": str(tmp_path / "blobs"), "blob_threshold": 10_000}
    ids = await rig.send(2_000_000, 5)
    rig.start(python_task("plain:big"), python_task("plain:size", name="size"), **blobs)
    outcomes = await rig.outcomes(2)
    large, small = (outcomes[event_id] for event_id in ids)
    assert not isinstance(large, Failure)
    assert not isinstance(small, Failure)
    assert (large.outputs[0].codec, small.outputs[0].codec) == ("@json", "json")
    sent = await rig.send_encoded(Payload(large.outputs[0].codec, large.outputs[0].data), task="size")
    assert await rig.values(sent) == [2_000_000]


async def test_many_outputs_squeeze_into_one_message(rig: Rig, python_task: Make, tmp_path: Path) -> None:
    await rig.send(200_000)
    rig.start(python_task("plain:many_big"), blob_url=str(tmp_path / "blobs"), blob_threshold=500_000)
    (result,) = (await rig.outcomes(1)).values()
    assert not isinstance(result, Failure)
    assert [output.codec for output in result.outputs] == ["@bytes"] * 8


async def test_environments_do_not_mix(rig: Rig, python_task: Make) -> None:
    tasks = [python_task("plain:flavour", name=name, environment={"FLAVOUR": name}) for name in ("sweet", "sour")]
    rig.start(*tasks, slots=1)
    ids = [(await rig.send("FLAVOUR", task=name))[0] for name in ("sweet", "sour", "sweet")]
    names = [(await rig.send("EWMS_TASK_NAME", task="sour"))[0]]
    assert await rig.values([*ids, *names]) == ["sweet", "sour", "sweet", "sour"]


async def test_heartbeats_tell_what_is_held_and_done(rig: Rig, python_task: Make) -> None:
    await rig.send(0.5, task="t")
    rig.start(python_task("plain:sleeps"), slots=2)
    await rig.until(lambda: any(heartbeat.holds == ["m-e0"] for heartbeat in rig.heartbeats))
    await rig.until(lambda: rig.heartbeats[-1].done == 1)
    last = rig.heartbeats[-1]
    assert (last.slots, last.failed, last.state) == (2, 0, "running")
    assert last.pilot.startswith("PL-")
    assert last.host
    await asyncio.sleep(0)
