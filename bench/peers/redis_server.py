"""A private Redis for one measurement, on a port that the kernel picks."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

_START_SECONDS = 10.0


@contextmanager
def redis_server(folder: str) -> Iterator[str]:
    """The URL of a server that keeps nothing on disk and ends with the block."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("there is no redis-server; apt-get install redis-server")
    port = _free_port()
    argv = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise SystemExit("redis-server does not answer") from None
            time.sleep(0.02)
        else:
            return
