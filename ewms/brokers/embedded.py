"""A private NATS server in a directory, for as long as this process lives.

The directory holds everything, so that a second start finds the same queues and token, and the same port if it is free:
`server.json` (port and token, for the owner only), `nats.conf` (written at each start), `jetstream/` (the messages,
every write synced), `nats.log` (the server's own), `lock` (held by the server as long as it runs).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from ewms.brokers._nats_process import NatsProcess
from ewms.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from ewms.brokers._nats_accounts import Accounts

logger = logging.getLogger("ewms.brokers.embedded")

MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes of the largest message; NATS advises against more."""
MAX_CRASHES = 5
"""Deaths of the server within `CRASH_SECONDS` after which it is not started again."""
CRASH_SECONDS = 60.0
_LOCK_SECONDS = 3.0
"""For a former server whose driver was killed to be gone as well."""
_ANY_PORT = -1


class _Identity(msgspec.Struct):
    """What pilots know a server by."""

    token: str
    port: int

    @property
    def url(self) -> str:
        """How to reach it, with the token."""
        return f"nats://{self.token}@127.0.0.1:{self.port}"


def recorded_url(directory: Path) -> str | None:
    """The URL of the server that ran last in a directory; None if none ever did."""
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
        return msgspec.json.decode((directory / "server.json").read_bytes(), type=_Identity).url
    return None


class EmbeddedNats:
    """An asynchronous context manager: the server runs inside, and is started again when it dies.

    Linux ends the server with the thread that entered the context, so enter it in the main thread.

    Parameters
    ----------
    directory
        Made if it is not there; the server's alone.
    keep_port
        Refuse to start where the port of the last time is taken, because pilots may still know it. Otherwise
        another port is chosen.
    max_payload
        Bytes of the largest message.
    accounts
        Whether credentials for certain queues can be issued: see `ewms.brokers._nats_accounts`, whose files are in the
        directory then. Otherwise whoever has the token may do everything.

    Raises
    ------
    BrokerUnavailable
        There is no nats-server, or it does not start; the message names the reason.
    """

    def __init__(
        self, directory: Path, *, keep_port: bool = False, max_payload: int = MAX_PAYLOAD, accounts: bool = False
    ) -> None:
        self.directory = directory.absolute()
        self._keep_port = keep_port
        self._max_payload = max_payload
        self._with_accounts = accounts
        self._accounts: Accounts | None = None
        self._identity = _Identity(token=secrets.token_urlsafe(24), port=_ANY_PORT)
        self._lock = -1
        self._process: NatsProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        try:
            await self._prepare()
            process = self._process = await self._first_start()
            self._write("server.json", msgspec.json.encode(self._identity))
            if self._accounts is not None:
                self._accounts.write_logins(self._address)
        except OSError as error:
            await self._stop()
            place = error.filename or self.directory
            raise BrokerUnavailable(f"no broker can run in {self.directory}: {error.strerror} ({place})") from error
        except BaseException:
            await self._stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(process))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def url(self) -> str:
        """How to reach it, with credentials that allow everything."""
        return self._identity.url if self._accounts is None else self._accounts.service_url

    @property
    def is_ready(self) -> bool:
        """Whether the server runs at this moment."""
        return self._process is not None and self._process.is_running

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.is_running else None

    async def wait_broken(self) -> str:
        """Wait until the server is given up on; why."""
        return await asyncio.shield(self._broken)

    @property
    def _address(self) -> str:
        return f"nats://127.0.0.1:{self._identity.port}"

    async def _prepare(self) -> None:
        """Make the folder, keep others out of it, and remember who the server was."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(f"another broker runs in {self.directory}; stop its workflow first") from None
            await asyncio.sleep(0.02)
        for old in self.directory.glob("*.ports"):
            old.unlink()
        if self._with_accounts:
            from ewms.brokers._nats_accounts import Accounts

            self._accounts = Accounts(self.directory)
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):  # never started, or torn by a power failure
            self._identity = msgspec.json.decode((self.directory / "server.json").read_bytes(), type=_Identity)

    async def _first_start(self) -> NatsProcess:
        try:
            process = await self._start()
        except BrokerUnavailable as error:
            if "address already in use" not in str(error):
                raise
            if self._keep_port:
                port = self._identity.port
                raise BrokerUnavailable(
                    f"port {port} of the broker in {self.directory} is taken by another process; stop that one and try again"
                ) from error
            self._identity.port = _ANY_PORT
            process = await self._start()
        self._identity.port = process.port
        return process

    async def _start(self) -> NatsProcess:
        config = self._write("nats.conf", self._config().encode())
        return await NatsProcess.start(self.directory, config, self._lock)

    async def _supervise(self, process: NatsProcess) -> None:
        """Start the server again when it dies: on the same port, and not for ever."""
        deaths: list[float] = []
        while True:
            reason = await process.wait()
            now = time.monotonic()
            deaths = [death for death in deaths if now - death < CRASH_SECONDS] + [now]
            logger.warning("broker_died reason=%s deaths=%d", reason, len(deaths))
            if len(deaths) > MAX_CRASHES:
                self._broken.set_result(f"nats-server died {len(deaths)} times: {reason}; see {self.directory / 'nats.log'}")
                return
            try:
                process = self._process = await self._start()
            except (BrokerUnavailable, OSError) as error:
                logger.error("broker_lost reason=%s", error)
                self._broken.set_result(str(error))
                return
            logger.info("broker_restarted port=%d", process.port)

    def _config(self) -> str:
        quoted = {name: json.dumps(str(self.directory / name)) for name in ("", "jetstream")}
        token = f'authorization {{ token: "{self._identity.token}" }}\n'
        return (
            'host: "127.0.0.1"\n'
            f"port: {self._identity.port}\n"
            f"ports_file_dir: {quoted['']}\n"
            f"max_payload: {self._max_payload}\n"
            f"{token if self._accounts is None else self._accounts.server_settings()}"
            f"jetstream {{ store_dir: {quoted['jetstream']}, sync_interval: always }}\n"
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return draft.replace(path)

    async def _stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._process is not None:
            await self._process.stop()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
