"""What people who watch a scan cost: `python bench/watchers.py [--pages 200] [--rounds 5]`.

`ewms dev` scans the same event again and again, by turns with nobody watching and with that many pages open, each of which
follows the stream of the scan as a browser does. The load generator is a process of its own and not counted. A scan is
paused until all pages are connected and its workers wait, and timed from there to its end. Figures are medians; both arms
see the same machine.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click
import httpx2
import psutil

from skymap_scanner.reading import native
from skymap_scanner.simulation.event import simulate

NSIDES = {"8": 0, "64": 48, "512": 600}
SECONDS = 300.0
SETTLED_SECONDS = 2.0
"""After which the workers of a scan wait for work, whoever watches."""


class Run(NamedTuple):
    """One scan."""

    seconds: float
    """From the moment that it may go on to its end."""
    service_seconds: float
    """CPU seconds of the service meanwhile, children excluded."""
    received: dict[str, int]
    """Events and bytes that all pages together were sent."""


@click.command()
@click.option("--pages", default=200, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(pages: int, rounds: int) -> None:
    """Measure both arms by turns, after one scan that warms everything up."""
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as (url, token, service):
        bench = Bench(url, token, service)
        bench.run(2)
        runs: dict[int, list[Run]] = {0: [], pages: []}
        for number in range(rounds):
            for watching in (0, pages) if number % 2 else (pages, 0):
                runs[watching].append(bench.run(watching))
                click.echo(f"{watching:4d} pages: {_words(runs[watching][-1])}")
    alone, watched = runs[0], runs[pages]
    cores = statistics.median(one.service_seconds / one.seconds for one in watched)
    before = statistics.median(one.service_seconds / one.seconds for one in alone)
    speed = statistics.median(one.seconds / two.seconds for one, two in zip(alone, watched, strict=True))
    click.echo(f"the service takes {before:.3f} cores alone, {cores:.3f} with {pages} pages: they cost {cores - before:.3f}")
    click.echo(f"a watched scan runs at {speed:.1%} of its speed (median of {rounds} ratios)")


class Bench:
    """A service and what is scanned by it."""

    def __init__(self, url: str, token: str, service: psutil.Process) -> None:
        self._url = url
        self._token = token
        self._service = service
        self._client = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        self._event = json.loads(native.dumps(simulate("track", math.radians(80), math.radians(210), 3e5, 1)))

    def run(self, pages: int) -> Run:
        """One scan with so many pages open."""
        scan, workflow = self._paused_scan()
        watchers = self._watchers(scan, pages)
        time.sleep(SETTLED_SECONDS)
        cpu, began = self._cpu(), time.monotonic()
        self._client.post(f"/api/workflows/{workflow}/actions/resume").raise_for_status()
        while self._client.get(f"/skydriver/scan/{scan}/status").json()["scan_state"] != "SCAN_HAS_FINAL_RESULT":
            if time.monotonic() - began > SECONDS:
                raise click.ClickException(f"scan {scan} does not end")
            time.sleep(0.2)
        seconds, spent = time.monotonic() - began, self._cpu() - cpu
        watchers.terminate()
        received = json.loads(watchers.communicate(timeout=SECONDS)[0].splitlines()[-1])
        return Run(seconds, spent, received)

    def _paused_scan(self) -> tuple[str, str]:
        body = {
            "docker_tag": "latest",
            "reco_algo": "mpe",
            "nsides": NSIDES,
            "real_or_simulated_event": "sim",
            "max_pixel_reco_time": 60,
            "request_clusters": {"local": 2},
            "event_i3live_json": self._event,
        }
        made = self._client.post("/skydriver/scan", json=body).raise_for_status().json()
        scan, workflow = made["scan_id"], made["ewms_workflow_id"]
        self._client.post(f"/api/workflows/{workflow}/actions/pause").raise_for_status()
        return scan, workflow

    def _watchers(self, scan: str, pages: int) -> subprocess.Popen[str]:
        """Pages of a process of their own, all connected."""
        argv = [sys.executable, __file__, "--watch", self._url, scan, str(pages)]
        environment = {**os.environ, "EWMS_TOKEN": self._token}
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment)
        if process.stdout is None or process.stdout.readline() != "connected\n":
            raise click.ClickException("the pages cannot connect")
        return process

    def _cpu(self) -> float:
        times = self._service.cpu_times()
        return float(times.user + times.system)


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """`ewms dev` and the process of its service."""
    argv = [sys.executable, "-m", "ewms", "dev", "--data", str(folder / "data"), "--port", "0", "--workers", "2"]
    log = folder / "log"
    with log.open("w") as out, subprocess.Popen(argv, stdout=out, stderr=out) as process:
        try:
            while "EWMS_SERVER=" not in log.read_text():
                if process.poll() is not None:
                    raise click.ClickException(log.read_text())
                time.sleep(0.1)
            url = log.read_text().split("EWMS_SERVER=")[1].split()[0]
            token = (folder / "data" / "secrets" / "operator.token").read_text().strip()
            children = psutil.Process(process.pid).children(recursive=True)
            yield url, token, next(child for child in children if "serve" in child.cmdline()[3:4])
        finally:
            process.terminate()


async def watch(url: str, scan: str, pages: int) -> None:
    """Be pages of browsers until SIGTERM; counts go to standard output."""
    received = {"events": 0, "bytes": 0}
    parts = urlsplit(url)
    head = f"GET /skydriver/scans/{scan}/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n"
    head += f"Authorization: Bearer {os.environ['EWMS_TOKEN']}\r\n\r\n"
    connected = asyncio.Semaphore(0)

    async def page() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 24)
        writer.write(head.encode())
        status = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in status.split(b"\r\n")[0]:
            raise RuntimeError(status.decode())
        connected.release()
        while data := await reader.read(1 << 20):
            received["events"] += data.count(b"event: ")
            received["bytes"] += len(data)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, stop.set)
    tasks = [asyncio.create_task(page()) for _ in range(pages)]
    for _ in range(pages):
        await connected.acquire()
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sys.stdout.write(json.dumps(received) + "\n")


def _words(run: Run) -> str:
    found: dict[str, Any] = run.received
    sent = f"{found['events']} events, {found['bytes'] / 1e6:.1f} MB"
    cores = run.service_seconds / run.seconds
    return f"{run.seconds:.2f} s, service {run.service_seconds:.2f} CPU s ({cores:.3f} cores), {sent}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        asyncio.run(watch(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        main()
