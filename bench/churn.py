"""`python -m bench.churn [--seconds 3600]`: workflows that come and go by the thousand; does the service grow?

A whole `ewms dev`: service, driver host, TMS with real pilots, broker. Clients submit small workflows of several kinds and
listen to their event streams. Most events are worked off by hands in this process, which speak the pilots' protocol, because
real pilots would take the processor for themselves; the TMS launches real ones for whatever gets its two slots.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import psutil

from bench.sections import table, write_section
from ewms.brokers.base import Broker
from ewms.brokers.urls import broker_for
from ewms.core import wire
from ewms.core.errors import EwmsError
from ewms.wms.driver import Queues
from tests.support.dev_tree import DevTree

PARTS = ("serve", "drive", "tms", "nats-server")
ENDED = frozenset({"complete", "failed", "cancelled"})
_CODE = b"def work(number):\n    if number == 13:\n        raise ValueError('unlucky')\n    return number\n"
_TASK = {"name": "work", "python": "work:work", "input": "numbers", "retry": {"max_failures": 1}}
_EVENTS = 20
_UNLUCKY = 13
_CLIENTS = 6
_READINGS = 240
_MIB = 1 << 20
_PATIENCE = 600.0


class Reading(NamedTuple):
    """How large the parts were at a time."""

    seconds: float
    """Since the beginning."""
    workflows: int
    """That had ended by then."""
    memory: dict[str, float]
    """Resident MiB by part."""
    files: dict[str, int]
    """Open files by part."""
    threads: dict[str, int]
    """Of each part."""


class Churn:
    """Keeps a tree busy.

    Parameters
    ----------
    tree
        It runs.
    pause
        Seconds that a client rests between two workflows.
    """

    def __init__(self, tree: DevTree, pause: float) -> None:
        self.ended: Counter[str] = Counter()
        """Workflows by the state that they ended in, or by the error that kept a client from seeing that."""
        self.readings: list[Reading] = []
        self._tree = tree
        self._pause = pause
        self._stop = asyncio.Event()
        self._parts = {part: psutil.Process(tree.pid_of(part)) for part in PARTS}

    async def run(self, seconds: float) -> None:
        """For so long."""
        login = (self._tree.folder / "broker" / "service.url").read_text().strip()
        async with broker_for(login) as broker, asyncio.TaskGroup() as group:
            for number in range(_CLIENTS):
                group.create_task(self._client(number, broker))
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                self.readings.append(self._read(passed))
                await asyncio.sleep(max(0.5, seconds / _READINGS))
            self.readings.append(self._read(passed))
            self._stop.set()

    def growth(self, part: str) -> float:
        """How much larger a part was in the last quarter of the time than in the second."""
        sizes = [reading.memory[part] for reading in self.readings]
        quarter = len(sizes) // 4
        return statistics.median(sizes[3 * quarter :]) / statistics.median(sizes[quarter : 2 * quarter]) - 1.0

    def _read(self, passed: float) -> Reading:
        parts = self._parts.items()
        memory = {name: process.memory_info().rss / _MIB for name, process in parts}
        files = {name: process.num_fds() for name, process in parts}
        return Reading(passed, self.ended.total(), memory, files, {name: process.num_threads() for name, process in parts})

    async def _client(self, number: int, broker: Broker) -> None:
        token = (self._tree.folder / "secrets" / "operator.token").read_text().strip()
        chance = random.Random(number)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=self._tree.url, headers=headers, timeout=_PATIENCE, trust_env=False) as http:
            await _upload(http, _CODE)
            while not self._stop.is_set():
                try:
                    async with asyncio.timeout(_PATIENCE):
                        self.ended[await self._one(http, broker, chance)] += 1
                except (httpx2.HTTPError, TimeoutError) as error:
                    self.ended[f"{type(error).__name__}: {error}"] += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), self._pause)

    async def _one(self, http: httpx2.AsyncClient, broker: Broker, chance: random.Random) -> str:
        """One workflow from its submission to the last look at it; the state that it ended in."""
        inputs = b"".join(b"%d\n" % chance.randrange(30) for _ in range(_EVENTS))
        files = {"code/work.py": hashlib.sha256(_CODE).hexdigest(), "inputs/numbers.jsonl": await _upload(http, inputs)}
        request = {"spec": {"name": "churn", "tasks": [_TASK]}, "files": files, "labels": {"n": str(chance.random())}}
        key = {"Idempotency-Key": f"{chance.random()}"}
        workflow = (await _json(http, "POST", "/api/workflows", json=request, headers=key))["workflow_id"]
        path = f"/api/workflows/{workflow}"
        hands: asyncio.Task[None] | None = None
        fate = chance.random()
        try:
            async for document in _stream(http, f"{path}/stream"):
                if document["state"] in ENDED:
                    break
                if document["active"] and hands is None:
                    hands = asyncio.create_task(_work_off(broker, workflow))
                    if fate < 0.1:
                        await http.post(f"{path}/actions/cancel")
                    elif fate < 0.2:
                        for action in ("pause", "resume"):
                            await http.post(f"{path}/actions/{action}")
        finally:
            if hands is not None:
                hands.cancel()
                await asyncio.gather(hands, return_exceptions=True)
        for what in ("outcomes", "failures", "dead-letters", "logs", "workers", "phases"):
            (await http.get(f"{path}/{what}")).raise_for_status()
        state: str = document["state"]
        return state


async def _work_off(broker: Broker, workflow: str) -> None:
    """Be a pilot of a workflow until it is cancelled, or its queues are gone."""
    queues = Queues.of(workflow)
    with contextlib.suppress(EwmsError):
        async with await broker.consumer(queues.work) as consumer:
            while True:
                for delivery in await consumer.lease(64, 5.0):
                    report = _report(wire.decode_work(delivery.body))
                    await broker.publish(queues.reports, wire.encode([report]), f"report-{report.message_id}")
                    await delivery.ack()


def _report(message: wire.WorkMessage) -> wire.Report:
    results, failures = [], []
    for event in message.events:
        if json.loads(event.data) == _UNLUCKY:
            failures.append(wire.Failure(event.id, event.attempt, wire.Kind.FAILED, "ValueError: unlucky"))
        else:
            outputs = msgspec.Raw(wire.encode([wire.WireOutput(event.codec, event.data)]))
            results.append(wire.RawResult(event.id, event.attempt, outputs))
    head = (wire.PROTOCOL, message.message_id, message.task, message.copy, "PL-hands", "here", "", 0.001)
    return wire.Report(*head, results, failures)


async def _upload(http: httpx2.AsyncClient, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (await http.put(f"/api/files/{digest}", content=content)).raise_for_status()
    return digest


async def _json(http: httpx2.AsyncClient, method: str, path: str, **rest: Any) -> Any:
    answer = await http.request(method, path, **rest)
    answer.raise_for_status()
    return answer.json()


async def _stream(http: httpx2.AsyncClient, path: str) -> AsyncIterator[dict[str, Any]]:
    """The documents of a workflow."""
    async with http.stream("GET", path) as answer:
        kind = ""
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                kind = line.partition(":")[2].strip()
            elif line.startswith("data:") and kind == "workflow":
                yield json.loads(line.partition(":")[2])


def shown(churn: Churn) -> str:
    """The section's body."""
    rows = []
    for part in PARTS:
        quarters = [churn.readings[len(churn.readings) * share // 4] for share in range(4)] + [churn.readings[-1]]
        sizes = " ".join(f"{reading.memory[part]:.0f}" for reading in quarters)
        open_now = churn.readings[-1]
        rows.append((part, sizes, f"{churn.growth(part):+.1%}", f"{open_now.files[part]}", f"{open_now.threads[part]}"))
    states = ", ".join(f"{count} {state}" for state, count in churn.ended.most_common())
    last = churn.readings[-1]
    head = (
        f"{last.workflows:,} workflows of {_EVENTS} events within {last.seconds:,.0f} s ({states}), {_CLIENTS} clients.\n\n"
    )
    heads = ("part", "MiB at 0, ¼, ½, ¾ and the end", "last quarter to second", "files at the end", "threads")
    return head + table(heads, rows)


async def main(seconds: float, pause: float, *, keep: bool) -> None:
    """Measure and print; with `keep`, write the section too."""
    with tempfile.TemporaryDirectory(prefix="ewms-churn-") as folder:
        tree = DevTree(Path(folder) / "data")
        tree.start()
        try:
            churn = Churn(tree, pause)
            await churn.run(seconds)
        finally:
            tree.stop()
    print(shown(churn))
    if keep:
        write_section("An hour of churn", shown(churn))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--pause", type=float, default=1.0, help="that a client rests between two workflows")
    parser.add_argument("--keep", action="store_true", help="write the section of bench/RESULTS.md")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.seconds, arguments.pause, keep=arguments.keep))
