"""`python -m bench.service [--keep]`: 500 workflows of 4 taskforces from 20 clients at once, by both interfaces, on SQLite.

The service is a process of its own with all its loops, beside a real broker. What is charged to it is the time from a
request's arrival to the end of its answer, as its log has it; what the clients saw, their own work included, stands beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from bench.sections import table, write_section
from ewms.brokers.embedded import EmbeddedNats

_GOAL_MS = 500.0
CLUSTERS = ("one", "two", "three", "four")
OWN = {
    "spec": {"name": "numbers", "tasks": [{"name": "t", "container": {"image": "docker://alpine"}, "input": "q"}]},
    "open": True,
}
V1 = {
    "public_queue_aliases": ["in", "out"],
    "tasks": [
        {
            "cluster_locations": list(CLUSTERS),
            "task_image": "docker://alpine",
            "task_args": "cat {{INFILE}}",
            "input_queue_aliases": ["in"],
            "output_queue_aliases": ["out"],
        }
    ],
}
ROUTES: dict[str, dict[str, Any]] = {"/api/workflows": OWN, "/v1/workflows": V1}


class Service(NamedTuple):
    """A service that runs."""

    url: str
    log: Path


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[Service]:
    """`ewms serve` with its broker; ends with the block."""
    async with EmbeddedNats(folder / "broker", keep_port=True) as broker:
        secret, config, log = folder / "broker.url", folder / "ewms.toml", folder / "log"
        secret.touch(mode=0o600)
        secret.write_text(broker.url)
        tables = "".join(f'[clusters.{name}]\nbackend = "htcondor"\n' for name in CLUSTERS)
        config.write_text(
            f'[service]\nbroker = "file:{secret}"\nlisten = "127.0.0.1:0"\n'
            f"[access]\nanonymous = true\nshared_credentials = true\n{tables}"
        )
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("ewms")), "serve", "--config", str(config),
                stdout=asyncio.subprocess.PIPE, stderr=stream,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
            if not line:
                raise SystemExit(log.read_text())
            yield Service(line.split()[-1], log)
        finally:
            process.terminate()
            await process.wait()


async def load(url: str, route: str, body: dict[str, Any], clients: int, workflows: int) -> list[float]:
    """Seconds that each answer took, as the clients saw it."""
    left = iter(range(workflows))
    seconds: list[float] = []

    async def one_client() -> None:
        async with httpx2.AsyncClient(base_url=url, timeout=60, verify=False) as http:  # it speaks no TLS
            for _ in left:
                began = time.perf_counter()
                answer = await http.post(route, json=body)
                seconds.append(time.perf_counter() - began)
                if not answer.is_success:
                    raise SystemExit(f"{route} answers {answer.status_code}: {answer.text}")

    await asyncio.gather(*(one_client() for _ in range(clients)))
    return seconds


def served(log: Path, route: str) -> list[float]:
    """Seconds that each request took, as the service saw it."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"request_served"' in line)
    return [line["seconds"] for line in lines if line["path"] == route and line["method"] == "POST"]


def row(route: str, what: str, seconds: list[float], goal: float | None = None) -> tuple[str, ...]:
    """What is asked of the service: the slowest of a hundred, in ms."""
    cuts = [1e3 * cut for cut in statistics.quantiles(seconds, n=100)]
    verdict = "" if goal is None else f"p99 below {goal:g}: {'met' if cuts[98] < goal else '**missed**'}"
    figures = (f"{cuts[49]:.0f}", f"**{cuts[98]:.0f}**", f"{1e3 * max(seconds):.0f}")
    return (f"`POST {route}`", what, str(len(seconds)), *figures, verdict)


async def main(clients: int, workflows: int, *, keep: bool) -> None:
    """Measure and print; with `keep`, write the section too."""
    rows, totals = [], []
    for route, body in ROUTES.items():
        with tempfile.TemporaryDirectory() as folder:
            async with service(Path(folder)) as running:
                began = time.perf_counter()
                seen = await load(running.url, route, body, clients, workflows)
                total = time.perf_counter() - began
            rows.append(row(route, "charged to the service", served(running.log, route), _GOAL_MS))
            rows.append(row(route, "seen by the clients", seen))
            totals.append(f"{total:.1f} s by `{route}`")
    shown = (
        f"{workflows} workflows of {len(CLUSTERS)} taskforces at once from {clients} clients on SQLite, all accepted: "
        f"{', '.join(totals)}.\n\n" + table(("route", "time", "n", "p50, ms", "p99, ms", "most, ms", "goal"), rows)
    )
    print(shown)
    if keep:
        write_section("Submissions at once", shown)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--workflows", type=int, default=500)
    parser.add_argument("--keep", action="store_true", help="write the section of bench/RESULTS.md")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.clients, arguments.workflows, keep=arguments.keep))
