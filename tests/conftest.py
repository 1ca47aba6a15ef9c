"""What tests of several kinds share: a RabbitMQ and a Mongo-wire server for each process that runs tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pymongo
import pytest
import trustme
from hypothesis import settings

from tests.support import secantus
from tests.support.rabbitmq import RabbitmqServer, why_not
from tests.support.secantus import SecantusServer

# No deadlines: the machine may be busy with the tests of others.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


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


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server: SecantusDB, or what `EWMS_TEST_MONGO_URI` names."""
    if (given := os.environ.get("EWMS_TEST_MONGO_URI")) is not None:
        yield given
        return
    if (reason := secantus.why_not()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = SecantusServer(tmp_path_factory.mktemp("mongo") / "server")
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def mongo_url(mongo: str) -> Iterator[str]:
    """The URL of a database of a test's own, which is dropped after it where the server outlives the tests."""
    database = f"ewms-test-{uuid.uuid4().hex[:12]}"
    yield secantus.database_url(mongo, database)
    if "EWMS_TEST_MONGO_URI" not in os.environ:
        return  # to drop it would take the stand-in longer than the test
    with pymongo.MongoClient[dict[str, object]](mongo) as client:
        client.drop_database(database)
