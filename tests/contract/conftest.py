"""Every broker and store that the contract suites run over. A new one is an entry of `_SERVERS` or `_STORES`."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ewms.brokers import _rabbitmq_queues
from ewms.brokers._nats_process import find_server
from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerUnavailable
from ewms.stores.store import Store
from ewms.stores.urls import store_for
from tests.support.pulsar_lite import running_pulsar_lite
from tests.support.rabbitmq import RabbitmqServer

Connect = Callable[[], Awaitable[Broker]]


@asynccontextmanager
async def _memory(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    yield f"memory://{uuid.uuid4().hex}"


@asynccontextmanager
async def _nats(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    try:
        find_server()
    except BrokerUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    folder: Path = request.getfixturevalue("tmp_path")
    async with EmbeddedNats(folder / "nats") as server:
        yield server.url


@asynccontextmanager
async def _rabbitmq(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    server: RabbitmqServer = request.getfixturevalue("rabbitmq")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setattr(_rabbitmq_queues, "SETTLING_SECONDS", 0.0)  # nobody kills the server here
    yield server.url()


@asynccontextmanager
async def _pulsar(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    folder: Path = request.getfixturevalue("tmp_path")
    with running_pulsar_lite(folder / "pulsar") as address:
        yield address


_SERVERS: dict[str, Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[str]]] = {
    "memory": _memory,
    "nats": _nats,
    "pulsar": _pulsar,
    "rabbitmq": _rabbitmq,
}


PULSAR_HONOURS = {
    "test_messages_come_as_published_and_in_order",
    "test_lease_of_an_empty_queue_returns_after_its_wait",
    "test_lease_returns_as_soon_as_there_is_a_message",
    "test_hundreds_of_publishes_at_once",
    "test_a_lost_lease_comes_back_flagged",
    "test_twenty_five_redeliveries",
    "test_one_consumer_can_be_asked_by_several_tasks",
    "test_a_message_above_the_limit_is_refused_and_harms_nothing",
    "test_declare_keeps_messages_and_takes_a_new_lease",
    "test_closing_a_consumer_ends_its_calls",
    "test_signals_reach_everybody_who_listens",
    "test_a_signal_too_large_is_dropped",
}
"""What the stand-in for Pulsar, and our experimental broker for it, keep of the contract."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that needs a broker over all of them, over Pulsar where that can be."""
    if "server" in metafunc.fixturenames:
        honours = metafunc.definition.originalname in PULSAR_HONOURS
        names = [name for name in sorted(_SERVERS) if name != "pulsar" or honours]
        metafunc.parametrize("server", names, indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[str]:
    """A server of each kind, not yet entered: what it takes is made in the event loop of the test."""
    make = _SERVERS[request.param]
    return make(request)


@pytest.fixture
async def url(server: AbstractAsyncContextManager[str]) -> AsyncIterator[str]:
    """A running server of each kind."""
    async with server as address:
        yield address


@pytest.fixture
async def connect(url: str) -> AsyncIterator[Connect]:
    """Opens connections that are closed after the test."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Broker:
            return await stack.enter_async_context(broker_for(url, patience=5.0))

        yield open_one


@pytest.fixture
async def broker(connect: Connect) -> Broker:
    """A connection."""
    return await connect()


@pytest.fixture
def queue() -> str:
    """The name of a queue, with characters that not every broker takes."""
    return f"WF-{uuid.uuid4().hex[:8]}.work queue/1"


_MONGO = "mongo" if "EWMS_TEST_MONGO_URI" in os.environ else "mongo-wire (SecantusDB)"
_STORES: dict[str, Callable[[pytest.FixtureRequest], str]] = {
    _MONGO: lambda request: str(request.getfixturevalue("mongo_url")),
    "sqlite": lambda request: str(request.getfixturevalue("tmp_path") / "store.sqlite"),
}


@pytest.fixture(params=sorted(_STORES))
def store_url(request: pytest.FixtureRequest) -> str:
    """Where a store of each kind can be made."""
    return _STORES[request.param](request)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open, empty store of each kind."""
    async with store_for(store_url) as opened:
        yield opened
