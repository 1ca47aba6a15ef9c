"""The data folder of a service that `ewms dev` runs: the service's own, with what binds its parts together."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ewms.core.errors import InputError, RunLocked

_HOST = "127.0.0.1"
_USUAL_PORT = 8080
_CLUSTER = "local"


class DevFolder:
    """Paths, the configuration, and a lock that keeps a second `ewms dev` out.

    Parameters
    ----------
    path
        The folder; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.broker = self.path / "broker"
        self.configuration = self.path / "ewms.toml"
        self.more = self.path / "more.toml"
        self.operator_token = self.path / "secrets" / "operator.token"
        self.logs = self.path / "logs"
        self.cluster = self.path / "tms" / _CLUSTER
        self._lock = -1

    def lock(self) -> None:
        """Make it this process's; `RunLocked` if it is another's, `InputError` if it cannot be made."""
        try:
            for folder in (self.path, self.logs, self.path / "secrets"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "dev.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"folder {self.path} cannot be used: {error.strerror}; choose another --data") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.unlock()
            raise RunLocked(f"another `ewms dev` runs in {self.path}; stop it, or choose another --data") from error

    def unlock(self) -> None:
        """Let others in. Idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def port(self, wanted: int | None) -> int:
        """The port to listen at: as wanted, else that of the last time, because pilots and users know it, else a free one.

        Parameters
        ----------
        wanted
            0 means any.

        Raises `InputError` for one that is taken.
        """
        port = self._last_port() if wanted is None else wanted
        if port is None and _is_free(_USUAL_PORT):
            return _USUAL_PORT
        if not port:
            return _free_port()
        if not _is_free(port):
            raise InputError(f"port {port} is taken by another program; stop that, or give another --port")
        return port

    def configure(self, *, port: int, workers: int, lease: float, preload: Sequence[str] = ()) -> str:
        """Write the configuration of all parts; the service's URL.

        Parameters
        ----------
        preload
            Installed applications that driver host and workers load ahead.
        """
        url = f"http://{_HOST}:{port}"
        tables: dict[str, dict[str, object]] = {
            "service": {
                "url": url,
                "listen": f"{_HOST}:{port}",
                "data": str(self.path),
                "broker": f"file:{self.broker / 'service.url'}",
                "lease": lease,
                "preload": list(preload),
            },
            "access.nats": {
                "account": f"file:{self.broker / 'account.seed'}",
                "operator": f"file:{self.broker / 'operator.seed'}",
                "system": f"file:{self.broker / 'system.url'}",
            },
            f"clusters.{_CLUSTER}": {"backend": "local", "max_workers": workers, "preload": list(preload)},
        }
        text = "# Written anew at every start of `ewms dev`.\n"
        for name, table in tables.items():
            lines = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
            text += f"\n[{name}]\n{lines}"
        if self.more.is_file():
            text += f"\n# From {self.more.name}.\n{self.more.read_text()}"
        draft = self.configuration.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(self.configuration)
        return url

    def _last_port(self) -> int | None:
        try:
            service = tomllib.loads(self.configuration.read_text())["service"]
            return int(service["listen"].rpartition(":")[2])
        except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError):
            return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
