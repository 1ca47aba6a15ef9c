"""The brokers that a site may have: each started and killed as its own supervisor would, and asked for what is left."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import psutil

from tests.support.dev_tree import wait_until
from tests.support.dying import die_with_parent
from tests.support.rabbitmq import VHOST, RabbitmqServer
from tests.support.raw_nats import raw_nats

Tables = Mapping[str, Mapping[str, object]]
_END_SECONDS = 20.0
_OURS = ("WF-", "QU-")


class SiteBroker(Protocol):
    """One broker, for one site."""

    def start(self, folder: Path) -> None:
        """Start it; all that it keeps is below the folder."""

    def stop(self) -> None:
        """End it."""

    def kill(self) -> None:
        """`kill -9`; it comes back."""

    def url_file(self) -> Path:
        """Holds the URL by which the service logs in."""

    def tables(self) -> Tables:
        """Tables of `ewms.toml` by which pilots get users of their own."""

    def queues(self) -> list[str]:
        """What is left of workflows, as its operator sees it."""


class SiteNats:
    """A NATS server with accounts, kept running by a process of its own."""

    def __init__(self) -> None:
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, folder: Path) -> None:
        """See `SiteBroker`."""
        self._folder = folder
        with (folder.parent.with_name("logs") / "broker.log").open("ab") as log:
            argv = [sys.executable, "-m", "tests.support.private_broker", str(folder)]
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        wait_until(self.url_file().exists, "the broker's login")

    def stop(self) -> None:
        """See `SiteBroker`."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """See `SiteBroker`. The server, which its keeper starts again."""
        assert self._process is not None
        (server,) = psutil.Process(self._process.pid).children()
        server.kill()

    def url_file(self) -> Path:
        """See `SiteBroker`."""
        return self._folder / "service.url"

    def tables(self) -> Tables:
        """See `SiteBroker`."""
        files = {"account": "account.seed", "operator": "operator.seed", "system": "system.url"}
        return {"access.nats": {key: f"file:{self._folder / name}" for key, name in files.items()}}

    def queues(self) -> list[str]:
        """See `SiteBroker`."""
        return asyncio.run(self._streams())

    async def _streams(self) -> list[str]:
        async with raw_nats(self.url_file().read_text().strip()) as broker:
            return [stream.config.name or "" for stream in await broker.client.jetstream().streams_info()]


class SiteRabbitmq:
    """A RabbitMQ with the management API, which is there already and outlives the site.

    Parameters
    ----------
    server
        Runs.
    """

    def __init__(self, server: RabbitmqServer) -> None:
        self._server = server
        self._folder = Path()
        self._before: set[str] = set()

    def start(self, folder: Path) -> None:
        """See `SiteBroker`."""
        self._folder = folder
        self._before = set(self._listed())
        folder.mkdir(mode=0o700)
        self.url_file().touch(mode=0o600)
        self.url_file().write_text(self._server.url())

    def stop(self) -> None:
        """See `SiteBroker`."""

    def kill(self) -> None:
        """See `SiteBroker`."""
        self._server.kill()
        self._server.start()

    def url_file(self) -> Path:
        """See `SiteBroker`."""
        return self._folder / "service.url"

    def tables(self) -> Tables:
        """See `SiteBroker`."""
        return {"access.rabbitmq": {"management": self._server.management_url}}

    def queues(self) -> list[str]:
        """See `SiteBroker`. What a site before has left is not this one's."""
        return [name for name in self._listed() if name not in self._before]

    def _listed(self) -> list[str]:
        return [name for name in self._server.ctl("list_queues", "-p", VHOST, "name").split() if name.startswith(_OURS)]
