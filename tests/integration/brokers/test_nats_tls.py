"""Encrypted connections: a server that is not who it should be gets nothing, credentials least of all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from ewms.brokers._nats_process import NatsProcess
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected

StartServer = Callable[[str], Awaitable[NatsProcess]]


class Files:
    """Certificates of a server and a client, and the authority that vouches for both."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("pilot@example.org")
        self.ca, self.other_ca = folder / "ca.pem", folder / "other.pem"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self.client, self.client_key = folder / "client.pem", folder / "client.key"
        authority.cert_pem.write_to_path(self.ca)
        trustme.CA().cert_pem.write_to_path(self.other_ca)
        for leaf, certificate, key in (
            (server, self.server, self.server_key),
            (client, self.client, self.client_key),
        ):
            leaf.cert_chain_pems[0].write_to_path(certificate)
            leaf.private_key_pem.write_to_path(key)

    def server_config(self, more: str = "") -> str:
        return (
            'jetstream { store_dir: "STORE/js" }\nauthorization { token: "right" }\n'
            f'tls {{ cert_file: "{self.server}", key_file: "{self.server_key}"{more} }}'
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def check_works(url: str) -> None:
    async with broker_for(url, patience=5.0) as broker:
        await broker.declare("q", 30.0)
        await broker.publish("q", b"x" * 100_000, "1")
        async with await broker.consumer("q") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
        assert len(delivery.body) == 100_000
        await broker.delete("q")


async def check_refused(url: str, telling: str) -> None:
    with pytest.raises(BrokerRejected, match=telling) as caught:
        await broker_for(url).connect()
    assert "right" not in str(caught.value)


async def test_tls_with_an_authority_of_ones_own(start_server: StartServer, files: Files) -> None:
    server = await start_server(files.server_config())
    await check_works(f"tls://right@127.0.0.1:{server.port}?ca={files.ca}")
    await check_works(f"nats://right@127.0.0.1:{server.port}?ca={files.ca}")


async def test_an_untrusted_server_is_refused(start_server: StartServer, files: Files) -> None:
    server = await start_server(files.server_config())
    await check_refused(f"tls://right@127.0.0.1:{server.port}?ca={files.other_ca}", "is not trusted.*name its authority")
    await check_refused(f"tls://right@127.0.0.1:{server.port}", "is not trusted")
    await check_refused(f"nats://right@127.0.0.1:{server.port}", "is not trusted")


async def test_client_certificates(start_server: StartServer, files: Files) -> None:
    server = await start_server(files.server_config(f', ca_file: "{files.ca}", verify: true'))
    url = f"tls://right@127.0.0.1:{server.port}?ca={files.ca}"
    await check_works(f"{url}&cert={files.client}&key={files.client_key}")
    await check_refused(url, "TLS with .* failed|hangs up")


async def test_tls_is_not_given_up_silently(start_server: StartServer) -> None:
    server = await start_server('jetstream { store_dir: "STORE/js" }\nauthorization { token: "right" }')
    await check_refused(f"tls://right@127.0.0.1:{server.port}", "offers no TLS")
