"""The folder of `ewms dev`."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ewms.config_file import read_configuration
from ewms.core.errors import InputError, RunLocked
from ewms.dev.folder import DevFolder
from ewms.secret_file import write_secret_file


@pytest.fixture
def folder(tmp_path: Path) -> DevFolder:
    folder = DevFolder(tmp_path / "data")
    folder.lock()
    return folder


def write_secrets(folder: DevFolder) -> None:
    """As the broker leaves them."""
    folder.broker.mkdir()
    for name in ("service.url", "system.url"):
        write_secret_file(folder.broker / name, "nats://somebody@127.0.0.1:4222")
    for name in ("account.seed", "operator.seed"):
        write_secret_file(folder.broker / name, "S" + "A" * 57)


def test_only_one_at_a_time(folder: DevFolder) -> None:
    second = DevFolder(folder.path)
    with pytest.raises(RunLocked, match="another `ewms dev` runs in"):
        second.lock()
    folder.unlock()
    second.lock()
    second.unlock()


def test_the_configuration_is_one_that_the_parts_understand(folder: DevFolder) -> None:
    write_secrets(folder)
    port = folder.port(0)
    url = folder.configure(port=port, workers=3, lease=5.0, preload=["skies"])
    configuration = read_configuration(folder.configuration)
    assert configuration.service.public_url == url == f"http://127.0.0.1:{port}"
    assert configuration.service.data == folder.path
    assert (configuration.clusters["local"].max_workers, configuration.service.lease) == (3, 5.0)
    assert configuration.service.preload == ("skies",)
    assert configuration.clusters["local"].options == {"preload": ["skies"]}
    assert "somebody" not in folder.configuration.read_text()


def test_the_port_is_that_of_the_last_time(folder: DevFolder) -> None:
    port = folder.port(0)
    folder.configure(port=port, workers=1, lease=1.0)
    assert folder.port(None) == port
    assert folder.port(0) != 0


def test_a_port_that_is_taken(folder: DevFolder) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is taken"):
            folder.port(port)


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("")
    with pytest.raises(InputError, match="choose another --data"):
        DevFolder(tmp_path / "file").lock()
