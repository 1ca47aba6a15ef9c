"""A stand-in for the service, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ewms.client.connection import Connection
from tests.support.stand_in import StandIn, stand_in


@pytest.fixture
def service() -> Iterator[StandIn]:
    with stand_in() as found:
        yield found


@pytest.fixture
def connection(service: StandIn) -> Iterator[Connection]:
    with Connection(service.url, lambda: "secret", patience=5.0) as found:
        yield found
