"""A site: the service, a driver host, a TMS and a broker as processes of their own, and an HTCondor pool to work on.

Other combinations of store, broker and launcher are for `tests/acceptance/service/test_combinations.py`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2

from ewms.client.connect import connect
from ewms.client.session import Session
from ewms.tms.backends.local import mark_of
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.reap import kill_marked
from tests.support.condor import CondorPool
from tests.support.dev_tree import wait_until
from tests.support.dying import die_with_parent
from tests.support.site_brokers import SiteBroker, SiteNats
from tests.support.taskforces import pilots

CLUSTER = "pool"
PARTS = ("serve", "drive", "tms")
LEASE = 2.0
_START_SECONDS = 180.0
_END_SECONDS = 20.0


class Site:
    """The parts by name, started, killed and started again as a test wants, as an administrator's supervisor would.

    Parameters
    ----------
    folder
        Of all its files.
    pool
        Where its workers run; None for processes of this machine.
    store
        URL of its store; empty for SQLite in its folder.
    broker
        Not started yet; a NATS server of its own if left out.
    """

    def __init__(
        self,
        folder: Path,
        pool: CondorPool | None,
        *,
        max_workers: int = 4,
        store: str = "",
        broker: SiteBroker | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._pool = pool
        self._store = store
        self._broker: SiteBroker = SiteNats() if broker is None else broker
        self._config = folder / "ewms.toml"
        self._max_workers = max_workers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def has_pool(self) -> bool:
        """Whether its workers are jobs of HTCondor."""
        return self._pool is not None

    @property
    def pool(self) -> CondorPool:
        """Where its workers run."""
        assert self._pool is not None
        return self._pool

    def start(self) -> None:
        """Start everything; returns once the service is ready."""
        for path in (self.folder, self.data, self.folder / "logs"):
            path.mkdir(mode=0o700, exist_ok=True)
        self._broker.start(self.data / "broker")
        self._configure()
        for part in PARTS:
            self.start_part(part)
        wait_until(self.is_ready, f"the service to be ready: {self.logs()}", _START_SECONDS)

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
        """`kill -9` of a part or of the `broker`, and start it again."""
        if part == "broker":
            self._broker.kill()
            return
        self._processes[part].kill()
        self._processes[part].wait()
        self.start_part(part)

    def wait_ended(self, part: str) -> int:
        """Wait until a part ends by itself; its exit code."""
        return self._processes[part].wait(_END_SECONDS)

    def stop(self, *parts: str) -> None:
        """End parts, all and the broker if none is named; by force what does not end."""
        running = {name: self._processes.pop(name) for name in parts or tuple(self._processes)[::-1]}
        for process in running.values():
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if not parts:
            self._broker.stop()

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
        """The numbers of its clusters that the schedd still has; of a local one, of its pilots."""
        if self._pool is None:
            return pilots(ClusterFolder(self.data / "tms" / CLUSTER))
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

    def clear(self) -> None:
        """Remove what is left of its workers."""
        if self._pool is None:
            kill_marked(mark_of(ClusterFolder(self.data / "tms" / CLUSTER)))
            return
        for cluster in self.clusters():
            self._pool.tool("condor_rm", str(cluster))

    def queues(self) -> list[str]:
        """What the broker has of workflows, as its operator sees it."""
        return self._broker.queues()

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
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )

    def _configure(self) -> None:
        tables: dict[str, Mapping[str, object]] = {
            "service": {
                "url": self.url,
                "listen": self.url.removeprefix("http://"),
                "data": str(self.data),
                "broker": f"file:{self._broker.url_file()}",
                "lease": LEASE,
                **self._store_table(),
            },
            **self._broker.tables(),
            f"clusters.{CLUSTER}": {"max_workers": self._max_workers, **self._launcher()},
        }
        lines = []
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self._config.write_text("\n".join(lines) + "\n")

    def _store_table(self) -> dict[str, object]:
        if not self._store:
            return {}
        secret = self.folder / "store.url"
        secret.touch(mode=0o600)
        secret.write_text(self._store)
        return {"store": f"file:{secret}"}

    def _launcher(self) -> dict[str, object]:
        if self._pool is None:
            return {"backend": "local"}
        return {"backend": "htcondor", "config": str(self._pool.config), "hold_seconds": 1, "admin_hold_seconds": 5}


@contextlib.contextmanager
def running_site(
    folder: Path, pool: CondorPool | None, *, store: str = "", broker: SiteBroker | None = None
) -> Iterator[Site]:
    """A running one, which ends with the block and leaves no job, whatever happens."""
    site = Site(folder, pool, store=store, broker=broker)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        site.clear()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
