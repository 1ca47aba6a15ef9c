"""A private RabbitMQ server: its own ports, node name, cookie and data, and nothing left behind, its epmd least of all."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import trustme

HOME = Path("/usr/lib/rabbitmq/bin")
"""Where Debian keeps the scripts that run as whoever calls them."""
USER, PASSWORD = "me", "p@ss:word/1"
READER = "reader"
"""A user who may read everything and write nothing; same password."""
VHOST = "tests/1"
_START_SECONDS = 180.0
_STOP_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def why_not() -> str | None:
    """Why no server can be started here."""
    if not (HOME / "rabbitmq-server").exists():
        return "rabbitmq-server is not installed; apt-get install --no-install-recommends rabbitmq-server"
    return None


def free_ports(count: int) -> list[int]:
    """Ports that the kernel says are free."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class RabbitmqServer:
    """A server in a folder, running between `start` and `stop`.

    Parameters
    ----------
    folder
        Made; holds everything.
    authority
        Issues its certificate, and those of clients that show one.
    with_management
        Whether it has the management API, which makes its start slower; `USER` is an administrator in any case.
    """

    def __init__(self, folder: Path, authority: trustme.CA, *, with_management: bool = False) -> None:
        self.folder = folder
        self.port, self.tls_port, self._dist_port, self._epmd_port, management_port = free_ports(5)
        self.management_url = f"http://127.0.0.1:{management_port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "home").mkdir(parents=True)
        (folder / "plugins").write_text("[rabbitmq_management]." if with_management else "[].")
        (folder / "advanced.config").write_text("[{rabbit,[{channel_tick_interval,1000}]}].")
        (folder / "definitions.json").write_text(json.dumps(_definitions()))
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "log.file.level = warning\n"
            "disk_free_limit.absolute = 50MB\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            f"load_definitions = {folder / 'definitions.json'}\n"
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.cacertfile = {self.ca}\n"
            f"ssl_options.certfile = {folder / 'server.pem'}\n"
            f"ssl_options.keyfile = {folder / 'server.pem'}\n"
            "ssl_options.verify = verify_peer\n"
            "ssl_options.fail_if_no_peer_cert = false\n"
            + (f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management_port}\n" if with_management else "")
        )

    def url(self, *, user: str = USER, password: str = PASSWORD, vhost: str = VHOST, query: str = "") -> str:
        """How to reach it."""
        return f"amqp://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(vhost, safe='')}{query}"

    def tls_url(self, query: str) -> str:
        """How to reach it by TLS."""
        return self.url(query=query).replace("amqp://", "amqps://").replace(f":{self.port}/", f":{self.tls_port}/")

    def pause(self) -> None:
        """Suspend it, as a machine does that is short of everything."""
        os.killpg(self.pid, signal.SIGSTOP)

    def proceed(self) -> None:
        """End the suspension."""
        os.killpg(self.pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again, and wait until it serves."""
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(HOME / "rabbitmq-server")],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            assert self._process.poll() is None, (self.folder / "out.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"RabbitMQ is not ready after {_START_SECONDS} s"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, to all that belongs to it but epmd."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """End it and its epmd."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()
        deadline = time.monotonic() + _STOP_SECONDS
        while _epmd(self._environment(), "-names") == 0 and _epmd(self._environment(), "-kill") != 0:
            assert time.monotonic() < deadline, "epmd believes that the server lives"
            time.sleep(0.05)

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl; what it printed."""
        command = [str(HOME / "rabbitmqctl"), "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
        }


def _epmd(environment: dict[str, str], argument: str) -> int:
    return subprocess.run(["epmd", argument], env=environment, capture_output=True, check=False, timeout=10).returncode


def _definitions() -> dict[str, object]:
    def permission(user: str, write: str) -> dict[str, str]:
        return {"user": user, "vhost": VHOST, "configure": ".*", "write": write, "read": ".*"}

    return {
        "users": [
            {"name": name, "password": PASSWORD, "tags": tags} for name, tags in ((USER, "administrator"), (READER, ""))
        ],
        "vhosts": [{"name": VHOST}],
        "permissions": [permission(USER, ".*"), permission(READER, "^ewms.signals$")],
    }


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
        connection.sendall(b"AMQP\0\0\x09\x01")
        return bool(connection.recv(1))
    return False


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
