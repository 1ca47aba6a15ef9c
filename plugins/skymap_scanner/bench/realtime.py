"""How long a map takes from POST: `python plugins/skymap_scanner/bench/realtime.py ALERT [--scans 3] [--at-once 20]`.

Starts `ewms dev` with two workers in a folder of its own and posts the alert over plain HTTP. Wall times are those of a
client; the processor time of everything below `ewms dev` stands beside, because a machine that others use gives only part
of itself: what a scan needs of two quiet cores is at least that time by two.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil

sys.path.append(str(Path(__file__).parents[3]))
from bench.sections import table, write_section
from skymap_scanner.scanning.progression import DEFAULT
from skymap_scanner.scanning.workflow import scan_workflow

PATIENCE = 300.0
LOOK = 0.05
URGENT = 100
HEADS = ("", "first partial map (s)", "final map (s)", "processor (s)", "of which", "load at POST")
TEXT = """\
`ewms dev` with two workers, a real alert over plain HTTP, the default map (3,072 pixels in three levels, `mpe`), urgent.
From the POST of the file to what a client sees that looks 20 times a second; the service has loaded the application by then,
which takes it 5 s of processor at its start. Goals, on two cores that nobody else uses: the first partial map below 3 s, the
final one below 8 s. The load tells how many others wanted the two cores: at 20 a scan gets a tenth of them, and the
processor time says what it needs. The client's looking is part of `serve`.
"""
Row = list[str]


class Times(NamedTuple):
    """Of one scan, in seconds since its POST."""

    partial: float
    final: float


class Service:
    """`ewms dev`, as a client sees it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, token: str) -> None:
        self.process = process
        self._http = httpx2.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False, verify=False
        )  # it speaks no TLS

    def ask(self, method: str, path: str, **what: Any) -> Any:
        answer = self._http.request(method, path, **what)
        if not answer.is_success:
            raise SystemExit(f"{path} answers {answer.status_code}: {answer.text}")
        return answer.json()

    def post(self, alert: Path, priority: int = 50, **parameters: Any) -> str:
        data = alert.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.ask("PUT", f"/api/files/{digest}", content=data)
        spec = scan_workflow({"plots": False} | parameters)
        body = {
            "spec": spec.model_dump(mode="json", exclude_unset=True),
            "files": {f"inputs/{alert.name}": digest},
            "priority": priority,
        }
        workflow_id: str = self.ask("POST", "/api/workflows", json=body)["workflow_id"]
        return workflow_id

    def watch(self, workflow_id: str, began: float) -> Times:
        partial = 0.0
        while time.perf_counter() - began < PATIENCE:
            found = self.ask("GET", f"/api/workflows/{workflow_id}")
            if not partial and (found["partial"] or found["state"] == "complete"):
                partial = time.perf_counter() - began
            if found["state"] == "complete":
                return Times(partial, time.perf_counter() - began)
            if found["state"] in {"failed", "cancelled"}:
                raise SystemExit(f"{workflow_id} is {found['state']}: {found['reason']}")
            time.sleep(LOOK)
        raise SystemExit(f"{workflow_id} is not complete after {PATIENCE:g} s")

    def processor_seconds(self) -> dict[str, float]:
        """Of all processes below, by what they are; those that have ended count with their parents."""
        spent: dict[str, float] = {}
        parent = psutil.Process(self.process.pid)
        for each in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                name = _name(each.cmdline())
                spent[name] = spent.get(name, 0.0) + sum(times[:4])
        return spent


def _name(argv: Sequence[str]) -> str:
    words = [os.path.basename(word) for word in argv if not word.startswith("-")]
    return words[1] + (f" {words[2]}" if words[1] == "ewms" else "") if len(words) > 2 else words[0] if words else "?"


@contextlib.contextmanager
def service(folder: Path, workers: int) -> Iterator[Service]:
    log = folder / "dev.log"
    argv = [sys.executable, "-m", "ewms", "dev", "--data", str(folder / "data"), "--port", "0", "--workers", str(workers)]
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, stdout=stream, stderr=stream, start_new_session=True)
    try:
        while not (found := re.search(r"EWMS_SERVER=(\S+) EWMS_TOKEN_FILE=(\S+)", log.read_text())):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(LOOK)
        while "nursery_ready" not in (folder / "data" / "logs" / "tms.log").read_text():
            time.sleep(LOOK)  # as a service that has run for a while
        yield Service(process, found[1], Path(found[2]).read_text().strip())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def one_by_one(running: Service, alert: Path, scans: int, *, pause: float, priority: int) -> list[Row]:
    rows = []
    for number in range(scans):
        time.sleep(pause)
        before, load = running.processor_seconds(), os.getloadavg()[0]
        began = time.perf_counter()
        times = running.watch(running.post(alert, priority), began)
        spent = _spent(before, running.processor_seconds())
        rows.append([f"scan {number + 1}", f"**{times.partial:.1f}**", f"**{times.final:.1f}**", *spent, f"{load:.0f}"])
        print(*rows[-1], sep=" | ", flush=True)
    return rows


def at_once(running: Service, alert: Path, count: int, nsides: str) -> str:
    """Every fifth is urgent, posted last."""
    before, load = running.processor_seconds(), os.getloadavg()[0]
    began = time.perf_counter()
    priorities = [URGENT if number >= count - count // 5 else 50 for number in range(count)]
    workflows = [running.post(alert, priority, nsides=nsides) for priority in priorities]
    posted = time.perf_counter() - began
    done: dict[str, float] = {}
    while not done.keys() >= set(workflows):
        for item in running.ask("GET", "/api/workflows?limit=100&state=complete")["items"]:
            done.setdefault(item["workflow_id"], time.perf_counter() - began)
        if time.perf_counter() - began > 10 * PATIENCE:
            raise SystemExit(f"only {len(done)} of {count} are complete")
        time.sleep(0.2)
    urgent = [done[each] for each, priority in zip(workflows, priorities, strict=True) if priority == URGENT]
    others = [done[each] for each, priority in zip(workflows, priorities, strict=True) if priority != URGENT]
    total, _ = _spent(before, running.processor_seconds())
    return (
        f"{count} scans of `{nsides}` posted within {posted:.1f} s, the last {len(urgent)} urgent: these done after "
        f"**{max(urgent):.1f} s**, half of the others after {statistics.median(others):.1f} s, all after "
        f"**{max(others):.1f} s**; {total} s of processor, load {load:.0f}.\n"
    )


def _spent(before: dict[str, float], after: dict[str, float]) -> tuple[str, str]:
    """Seconds in all, and of each part that took a tenth of one."""
    spent = {name: seconds - before.get(name, 0.0) for name, seconds in sorted(after.items())}
    parts = (f"{name.removeprefix('ewms ')} {seconds:.1f}" for name, seconds in spent.items() if seconds >= 0.1)
    return f"{sum(spent.values()):.1f}", ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("alert", type=Path)
    parser.add_argument("--scans", type=int, default=3)
    parser.add_argument("--pause", type=float, default=10.0, help="seconds before each scan")
    parser.add_argument("--priority", type=int, default=URGENT)
    parser.add_argument("--at-once", type=int, default=0, help="then so many, every fifth of them urgent, posted last")
    parser.add_argument("--nsides", default=DEFAULT, help="of those (default: those of a scan)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the service instead of one that goes at the end")
    parser.add_argument("--write", action="store_true", help="put the figures into bench/RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, service(options.keep or Path(folder), options.workers) as running:
        rows = one_by_one(running, options.alert, options.scans, pause=options.pause, priority=options.priority)
        body = f"{TEXT}\n{table(HEADS, rows)}\n"
        if options.at_once:
            body += at_once(running, options.alert, options.at_once, options.nsides)
    print(body)
    if options.write:
        write_section("Realtime scans", body, Path(__file__).parents[3] / "bench" / "RESULTS.md")


if __name__ == "__main__":
    main()
