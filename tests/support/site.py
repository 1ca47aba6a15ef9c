"""A site: the service, a driver host, a TMS and a broker as processes of their own, and one HTCondor pool to work on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import psutil

from ewms.client.connect import connect
from ewms.client.session import Session
from tests.support.condor import CondorPool
from tests.support.dev_tree import wait_until
from tests.support.raw_nats import raw_nats

CLUSTER = "pool"
PARTS = ("serve", "drive", "tms")
LEASE = 2.0
_END_SECONDS = 20.0


class Site:
    """The parts by name, started, killed and started again as a test wants, as an administrator's supervisor would.

    Parameters
    ----------
    folder
        Of all its files.
    pool
        Where its workers run.
    """

    def __init__(self, folder: Path, pool: CondorPool, *, max_workers: int = 4) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.pool = pool
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._config = folder / "ewms.toml"
        self._max_workers = max_workers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything; returns once the service is ready."""
        for path in (self.folder, self.data, self.folder / "logs"):
            path.mkdir(mode=0o700, exist_ok=True)
        self._spawn("broker", ["-m", "tests.support.private_broker", str(self.data / "broker")])
        wait_until((self.data / "broker" / "service.url").exists, "the broker's login")
        self._configure()
        for part in PARTS:
            self.start_part(part)
        wait_until(self.is_ready, f"the service to be ready: {self.logs()}")

    def start_part(self, part: str, *, dies: str = "") -> None:
        """Start a part.

        Parameters
        ----------
        dies
            The step at which a TMS kills itself, as in `tests.support.dying_tms`.
        """
        if dies:
            token = self.data / "secrets" / "tms.token"
            self._spawn(part, ["-m", "tests.support.dying_tms", str(self._config), str(token), dies])
        else:
            self._spawn(part, ["-m", "ewms", part, "--config", str(self._config)])

    def kill(self, part: str) -> None:
        """`kill -9` of a part, and start it again; of the broker, of its server, which it starts again itself."""
        if part == "broker":
            (server,) = psutil.Process(self._processes[part].pid).children()
            server.kill()
            return
        self._processes[part].kill()
        self._processes[part].wait()
        self.start_part(part)

    def wait_ended(self, part: str) -> int:
        """Wait until a part ends by itself; its exit code."""
        return self._processes[part].wait(_END_SECONDS)

    def stop(self, *parts: str) -> None:
        """End parts, all if none is named; by force what does not end."""
        running = {name: self._processes.pop(name) for name in parts or tuple(self._processes)[::-1]}
        for process in running.values():
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def is_ready(self) -> bool:
        """Whether the service can take requests."""
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/readyz", trust_env=False).is_success
        return False

    @property
    def environment(self) -> Mapping[str, str]:
        """For commands that are to reach it."""
        return {"EWMS_SERVER": self.url, "EWMS_TOKEN_FILE": str(self.data / "secrets" / "operator.token")}

    def session(self) -> Session:
        """A client of it."""
        return connect(self.url, token=(self.data / "secrets" / "operator.token").read_text().strip())

    def clusters(self) -> set[int]:
        """The numbers of its clusters that the schedd still has."""
        return {int(line.split()[0]) for line in self._queue("-factory", "-af", "ClusterId", "Iwd", "UserLog").splitlines()}

    def submitted(self) -> list[str]:
        """The taskforces of all clusters that it ever submitted, one entry for each cluster."""
        logs = sorted((self.data / "tms" / CLUSTER / "events").glob("*.jel"))
        return [
            log.name.removesuffix(".tms.jel") for log in logs for _ in range(log.read_text().count("ClusterSubmitEvent"))
        ]

    def job_ads(self) -> str:
        """All that anybody can see of its jobs."""
        return self.pool.tool("condor_q", "-allusers", "-long")

    def streams(self) -> list[str]:
        """The broker's streams, as its operator sees them."""
        return asyncio.run(_streams((self.data / "broker" / "service.url").read_text().strip()))

    def logs(self) -> str:
        """What the parts wrote, for a test that failed."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("logs/*.log")))

    def _queue(self, *arguments: str) -> str:
        """What the schedd says, as soon as there is one: the pool starts it again some seconds after its death."""
        printed = ""

        def is_told() -> bool:
            nonlocal printed
            with contextlib.suppress(subprocess.CalledProcessError):
                printed = self.pool.tool("condor_q", "-allusers", *arguments)
                return True
            return False

        wait_until(is_told, "an answer of the schedd")
        return "\n".join(line for line in printed.splitlines() if str(self.folder) in line)

    def _spawn(self, name: str, arguments: list[str]) -> None:
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _configure(self) -> None:
        broker = self.data / "broker"
        tables: dict[str, dict[str, object]] = {
            "service": {
                "url": self.url,
                "listen": self.url.removeprefix("http://"),
                "data": str(self.data),
                "broker": f"file:{broker / 'service.url'}",
                "lease": LEASE,
            },
            "access.nats": {
                "account": f"file:{broker / 'account.seed'}",
                "operator": f"file:{broker / 'operator.seed'}",
                "system": f"file:{broker / 'system.url'}",
            },
            f"clusters.{CLUSTER}": {
                "backend": "htcondor",
                "config": str(self.pool.config),
                "max_workers": self._max_workers,
                "hold_seconds": 1,
                "admin_hold_seconds": 1,
            },
        }
        lines = []
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self._config.write_text("\n".join(lines) + "\n")


@contextlib.contextmanager
def running_site(folder: Path, pool: CondorPool) -> Iterator[Site]:
    """A running one, which ends with the block and leaves no job, whatever happens."""
    site = Site(folder, pool)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        for cluster in site.clusters():
            pool.tool("condor_rm", str(cluster))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _streams(url: str) -> list[str]:
    async with raw_nats(url) as broker:
        return [stream.config.name or "" for stream in await broker.client.jetstream().streams_info()]
