"""A private server with accounts, and who issues credentials for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.nats_credentials import NatsCredentials
from ewms.brokers.urls import broker_for, redact
from ewms.secret_file import read_secret_file

MINE, OTHERS = "WF-00000001-mine", "WF-00000002-other"
LEASE = 30.0


@dataclass(frozen=True, kw_only=True)
class NatsSite:
    """A server, the service's own connection to it, and the issuer."""

    folder: Path
    server: EmbeddedNats
    broker: Broker
    credentials: NatsCredentials

    @property
    def address(self) -> str:
        """Without credentials."""
        return redact(self.server.url)


def issuer_of(folder: Path, address: str) -> NatsCredentials:
    """As the service makes it from its configuration."""
    return NatsCredentials(
        account=read_secret_file(folder / "account.seed"),
        operator=read_secret_file(folder / "operator.seed"),
        system=read_secret_file(folder / "system.url"),
        server=address,
        patience=5.0,
    )


@pytest.fixture
async def nats_site(tmp_path: Path) -> AsyncIterator[NatsSite]:
    """With the queues of two workflows, and work in both."""
    folder = tmp_path / "broker"
    async with (
        EmbeddedNats(folder, accounts=True, keep_port=True) as server,
        broker_for(read_secret_file(folder / "service.url"), patience=5.0) as broker,
    ):
        for workflow in (MINE, OTHERS):
            for channel in ("work", "reports"):
                await broker.declare(f"{workflow}-{channel}", LEASE)
            await broker.publish(f"{workflow}-work", b"work of " + workflow.encode(), f"{workflow}-1")
        credentials = issuer_of(folder, redact(server.url))
        try:
            yield NatsSite(folder=folder, server=server, broker=broker, credentials=credentials)
        finally:
            await credentials.close()
