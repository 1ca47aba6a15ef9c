"""What tests of several kinds share: a RabbitMQ server for each process that runs tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import trustme

from tests.support.rabbitmq import RabbitmqServer, why_not


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Vouches for the servers of this session."""
    return trustme.CA()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[RabbitmqServer]:
    """A running server, in the clear and by TLS; a test that kills it starts it again."""
    if (reason := why_not()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = RabbitmqServer(tmp_path_factory.mktemp("rabbitmq") / "server", authority)
    try:
        server.start()
        yield server
    finally:
        server.stop()
