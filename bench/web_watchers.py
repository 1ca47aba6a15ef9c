"""`python -m bench.web_watchers`: what 200 open pages cost the service while a workflow runs.

`ewms dev` runs the same workflow again and again, by turns with nobody watching and with pages open: half of them the
workflow's page, with its stream and the part that it reads again every 30 s, half of them the list of workflows. They are a
process of their own, which is not counted. A workflow is paused until all pages are connected, and timed from there to its
end. Figures are medians; both arms see the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import psutil

from bench.machine import describe_machine

_SECONDS = 600.0
_PART_SECONDS = 30.0


class Run(NamedTuple):
    """One workflow."""

    seconds: float
    """From the moment that it may go on to its end."""
    spent: float
    """Processor seconds of the service meanwhile."""
    received: int
    """Events of streams that all pages together were sent."""


class Bench:
    """A service and what it runs."""

    def __init__(self, url: str, token: str, service: psutil.Process, events: int) -> None:
        self._url = url
        self._token = token
        self._service = service
        self._events = events
        self._http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)

    def run(self, pages: int) -> Run:
        """One workflow with so many pages open."""
        workflow = self._paused()
        watchers = self._watch(workflow, pages)
        before, began = self._spent(), time.monotonic()
        self._http.post(f"/api/workflows/{workflow}/actions/resume").raise_for_status()
        while self._http.get(f"/api/workflows/{workflow}").json()["state"] != "complete":
            if time.monotonic() - began > _SECONDS:
                raise SystemExit(f"{workflow} does not end")
            time.sleep(0.5)
        seconds, spent = time.monotonic() - began, self._spent() - before
        watchers.terminate()
        return Run(seconds, spent, int(watchers.communicate(timeout=_SECONDS)[0].split()[-1]))

    def _paused(self) -> str:
        lines = b"0.02\n" * self._events
        content = self._http.post("/api/files", content=lines).raise_for_status().json()["sha256"]
        spec = {"name": "waits", "tasks": [{"name": "wait", "python": "time:sleep", "input": "seconds"}]}
        body = {"spec": spec, "files": {"inputs/seconds.jsonl": content}}
        workflow = str(self._http.post("/api/workflows", json=body).raise_for_status().json()["workflow_id"])
        self._http.post(f"/api/workflows/{workflow}/actions/pause").raise_for_status()
        return workflow

    def _watch(self, workflow: str, pages: int) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "bench.web_watchers", "--watch", self._url, workflow, "--pages", str(pages)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "EWMS_TOKEN": self._token})
        if process.stdout is None or process.stdout.readline() != "connected\n":
            raise SystemExit("the pages cannot connect")
        return process

    def _spent(self) -> float:
        times = self._service.cpu_times()
        return float(times.user + times.system)


@contextmanager
def dev(folder: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """`ewms dev`: its URL, its token and the process of its service."""
    argv = [sys.executable, "-m", "ewms", "dev", "--data", str(folder / "data"), "--port", "0", "--workers", "2"]
    log = folder / "log"
    with log.open("w") as out, subprocess.Popen(argv, stdout=out, stderr=out) as process:
        try:
            while "EWMS_SERVER=" not in log.read_text():
                if process.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
            url = log.read_text().split("EWMS_SERVER=")[1].split()[0]
            token = (folder / "data" / "secrets" / "operator.token").read_text().strip()
            children = psutil.Process(process.pid).children(recursive=True)
            yield url, token, next(child for child in children if "serve" in child.cmdline()[3:4])
        finally:
            process.terminate()


class Pages:
    """Open pages, as far as the service sees them."""

    def __init__(self, url: str, workflow: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._netloc = parts.hostname, parts.port, parts.netloc
        self._workflow = workflow
        self.received = 0
        """Events of all streams."""
        self.connected = asyncio.Semaphore(0)
        """Released by each page once its stream began."""

    async def workflow(self) -> None:
        """A workflow's page."""
        stream = f"/api/workflows/{self._workflow}/stream?every=1&summary=true&stay=true"
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(stream))
            group.create_task(self._reread(f"/ui/workflows/{self._workflow}/pilots"))

    async def listing(self) -> None:
        """The list of workflows."""
        await self._follow("/api/stream?every=1")

    async def _follow(self, path: str) -> None:
        reader, _ = await self._ask(path, "text/event-stream")
        await reader.readuntil(b"\r\n\r\n")
        self.connected.release()
        while line := await reader.readline():
            self.received += line.startswith(b"event:")

    async def _reread(self, path: str) -> None:
        while True:
            await asyncio.sleep(_PART_SECONDS * (0.8 + 0.4 * (id(asyncio.current_task()) % 97) / 97))
            reader, writer = await self._ask(path, "text/html", "close")
            await reader.read()
            writer.close()

    async def _ask(
        self, path: str, accept: str, connection: str = "keep-alive"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 24)
        head = f"GET {path} HTTP/1.1\r\nHost: {self._netloc}\r\nAccept: {accept}\r\nConnection: {connection}\r\n"
        writer.write(f"{head}Authorization: Bearer {os.environ['EWMS_TOKEN']}\r\n\r\n".encode())
        await writer.drain()
        return reader, writer


async def watch(url: str, workflow: str, count: int) -> None:
    """Be so many pages until SIGTERM; then tell how many events came."""
    pages = Pages(url, workflow)
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, ending.set)
    tasks = [asyncio.create_task(pages.listing() if number % 2 else pages.workflow()) for number in range(count)]
    for _ in range(count):
        await pages.connected.acquire()
    print("connected", flush=True)
    await ending.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(pages.received)


def main(pages: int, rounds: int, events: int) -> None:
    print(json.dumps(describe_machine()))
    with tempfile.TemporaryDirectory() as folder, dev(Path(folder)) as (url, token, service):
        bench = Bench(url, token, service, events)
        bench.run(2)
        runs: dict[int, list[Run]] = {0: [], pages: []}
        for number in range(rounds):
            for watching in (0, pages) if number % 2 else (pages, 0):
                run = bench.run(watching)
                runs[watching].append(run)
                share = run.spent / run.seconds
                print(f"{watching:4d} pages: {run.seconds:6.2f} s, {share:.3f} cores, {run.received} events", flush=True)
    alone, watched = (statistics.median(run.spent / run.seconds for run in runs[arm]) for arm in (0, pages))
    speed = statistics.median(one.seconds / two.seconds for one, two in zip(runs[0], runs[pages], strict=True))
    print(f"the service takes {alone:.3f} cores alone and {watched:.3f} with {pages} pages: they cost {watched - alone:.3f}")
    print(f"a watched workflow runs at {speed:.1%} of its speed (median of {rounds} ratios)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--watch", nargs=2, metavar=("URL", "WORKFLOW"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        if arguments.watch:
            address, watched = arguments.watch
            asyncio.run(watch(address, watched, arguments.pages))
        else:
            main(arguments.pages, arguments.rounds, arguments.events)
