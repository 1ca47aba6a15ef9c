"""A private server that speaks MongoDB's protocol: SecantusDB, a stand-in. MongoDB itself has not been run here.

It is under the GPL and lives in a virtual environment of its own, `.venv-secantus`: only ever a process beside the tests,
never imported. `EWMS_TEST_MONGO_URI` names a real MongoDB to use instead.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pymongo
from pymongo.errors import PyMongoError

from tests.support.rabbitmq import free_ports

VERSION = "0.7.0b3"
USER, PASSWORD = "me", "p@ss:word/1"
_ENVIRONMENT = Path(__file__).parents[2] / ".venv-secantus"
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def program() -> Path:
    """Where the server should be: `EWMS_SECANTUS`, or in `.venv-secantus` of the repository."""
    return Path(os.environ.get("EWMS_SECANTUS", _ENVIRONMENT / "bin" / "secantusd-py"))


def why_not() -> str | None:
    """Why no server can be started here."""
    if not program().exists():
        return (
            f"SecantusDB is not installed; python3 -m venv {_ENVIRONMENT} && "
            f"{_ENVIRONMENT}/bin/pip install secantusdb=={VERSION}"
        )
    return None


def database_url(server: str, database: str) -> str:
    """The URL of one database of a server, whatever its options."""
    parts = urlsplit(server)
    return urlunsplit(parts._replace(path=f"/{database}"))


class SecantusServer:
    """A server in a folder, running between `start` and `stop`.

    Parameters
    ----------
    folder
        Made; holds everything.
    options
        Further arguments of the server.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        (self.port,) = free_ports(1)
        self.options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How to reach it, without a database."""
        return f"mongodb://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, or start it again, and wait until it serves."""
        command = [
            str(program()),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--storage-path",
            str(self.folder / "data"),
        ]
        command += ["--sync-on-commit", "--enable-test-commands", "--cache-size", "128M", "--log-level", "WARNING"]
        command += self.options
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.url):
            assert self._process.poll() is None, (self.folder / "out.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"SecantusDB is not ready after {_START_SECONDS} s"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


def _answers(url: str) -> bool:
    with pymongo.MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500) as client:
        try:
            client.admin.command("ping")
        except PyMongoError as error:
            return "Authentication" in str(error)
    return True


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
