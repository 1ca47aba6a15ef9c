"""`ewms broker nats`: a shared server, set up by one command, over TLS, with its issuer as the service configures it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from ewms.brokers._nats_process import find_server
from ewms.brokers.base import Depth
from ewms.brokers.urls import broker_for
from ewms.cli.broker import broker as command
from ewms.config_file import read_configuration
from ewms.core.errors import BrokerRejected, InputError
from ewms.wms.access.grants import pilot_grant
from ewms.wms.access.issuers import issuer_for
from tests.integration.access.conftest import MINE
from tests.support.rabbitmq import free_ports


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[None]:
    """What an administrator starts."""
    with (folder / "out.log").open("ab") as log:
        process = subprocess.Popen([find_server(), "-c", str(folder / "nats.conf")], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def set_up(folder: Path, authority: trustme.CA) -> str:
    """Run the command; what it prints."""
    [port] = free_ports(1)
    issued = authority.issue_cert("127.0.0.1")
    paths = {name: folder.with_name(f"{name}.pem") for name in ("certificate", "key", "ca")}
    issued.private_key_pem.write_to_path(paths["key"])
    paths["certificate"].write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(paths["ca"])
    address = f"127.0.0.1:{port}"
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    result = CliRunner().invoke(command, ["nats", str(folder), "--listen", address, "--address", address, *options])
    assert result.exit_code == 0, result.output
    return result.output


async def test_a_shared_server_is_one_command_away(tmp_path: Path, authority: trustme.CA) -> None:
    folder = tmp_path / "nats"
    printed = set_up(folder, authority)
    path = tmp_path / "ewms.toml"
    path.write_text(printed)
    configuration = read_configuration(path, data=tmp_path / "data")
    assert configuration.service.broker is not None
    url = configuration.service.broker.get_secret_value()
    with nats_server(folder):
        async with broker_for(url) as broker:
            await broker.declare(f"{MINE}-reports", 30.0)
            credentials = issuer_for(configuration, broker.capabilities)
            issued = await credentials.issue(pilot_grant(MINE), 60.0)
            assert issued.startswith("tls://")
            async with broker_for(issued) as pilot:
                await pilot.publish(f"{MINE}-reports", b"report", "1")
            assert await broker.depth(f"{MINE}-reports") == Depth(1, 0)
            await credentials.revoke(MINE)
            with pytest.raises(BrokerRejected, match="refuses the credentials"):
                await broker_for(issued).connect()
            await credentials.close()
    seeds = [(folder / name).read_text() for name in ("account.seed", "operator.seed")]
    assert not any(seed in printed for seed in seeds)


def test_a_second_run_keeps_the_keys(tmp_path: Path, authority: trustme.CA) -> None:
    folder = tmp_path / "nats"
    set_up(folder, authority)
    before = (folder / "keys.json").read_text()
    set_up(folder, authority)
    assert (folder / "keys.json").read_text() == before


def test_half_of_a_certificate_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["nats", str(tmp_path), "--address", "h:1", "--key", "k.pem"])
    assert "--certificate and --key go together" in str(result.exception)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(command, ["nats", str(tmp_path / "file" / "nats"), "--address", "h:1"])
    assert isinstance(result.exception, InputError)
    assert "cannot be written: Not a directory" in str(result.exception)
