"""`pulsar-lite`, a stand-in for Pulsar that knows a part of its protocol. There is no package of the real server."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rabbitmq import free_ports

_START_SECONDS = 10.0


@contextlib.contextmanager
def running_pulsar_lite(folder: Path) -> Iterator[str]:
    """A server in a folder; its URL. Skips the test where it is not installed, or fails it with CI=true."""
    found = importlib.util.find_spec("pulsar_lite")
    if found is None or found.origin is None or importlib.util.find_spec("pulsar") is None:
        reason = 'pulsar-lite is not installed; pip install "ewms[pulsar,test]"'
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder.mkdir()
    [port] = free_ports(1)
    program = Path(found.origin).parent / "bin" / "pulsar-lite"
    config = folder / "pulsar-lite.toml"
    config.write_text("[metrics]\nenabled = false\n")  # they would be at port 8080, for everybody
    command = [str(program), "--config", str(config), "--addr", f"127.0.0.1:{port}", "--db-path", str(folder / "db")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_ready(port)
            yield f"pulsar://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_ready(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        assert time.monotonic() < deadline, "pulsar-lite is not ready"
        time.sleep(0.01)
