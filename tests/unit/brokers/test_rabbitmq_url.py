"""RabbitMQ URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.brokers._rabbitmq_url import RabbitmqAddress
from ewms.core.errors import UsageError


@pytest.mark.parametrize(
    ("url", "servers", "vhost"),
    [
        ("amqp://host", ["amqp://guest:guest@host:5672/%2F?heartbeat=20"], "/"),
        ("amqp://host/", ["amqp://guest:guest@host:5672/%2F?heartbeat=20"], "/"),
        ("amqps://me:p%40ss@host/a%2Fb", ["amqps://me:p%40ss@host:5671/a%2Fb?heartbeat=20"], "a/b"),
        ("amqp://me:pw@[::1]:1/v?heartbeat=5", ["amqp://me:pw@[::1]:1/v?heartbeat=5"], "v"),
        (
            "amqp://me:pw@a,b:2/v",
            ["amqp://me:pw@a:5672/v?heartbeat=20", "amqp://me:pw@b:2/v?heartbeat=20"],
            "v",
        ),
    ],
)
def test_parts(url: str, servers: list[str], vhost: str) -> None:
    address = RabbitmqAddress.parse(url)
    assert (address.servers, address.vhost) == (servers, vhost)
    assert address.tls is None or url.startswith("amqps")


def test_a_password_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/word\n")
    address = RabbitmqAddress.parse(f"amqp://me@host?password_file={tmp_path / 'password'}")
    assert address.servers == ["amqp://me:p%40ss%2Fword@host:5672/%2F?heartbeat=20"]


def test_what_the_user_says_of_the_server() -> None:
    assert RabbitmqAddress.parse("amqp://host").consumer_timeout is None
    assert RabbitmqAddress.parse("amqp://host?consumer_timeout=7200").consumer_timeout == 7200.0


@pytest.mark.parametrize(
    ("url", "telling"),
    [
        ("amqp://me:SECRET@ho@st", "malformed"),
        ("amqp://me:SEC/RET@host", "malformed"),
        ("amqp://me:SECRET@", "malformed"),
        ("amqp://me:SECRET@host:port", "malformed"),
        ("amqp://me:SECRET@host/a/b", "malformed"),
        ("amqp://me:SECRET@host?heartbeats=1", "unknown parameter 'heartbeats'; known are password_file"),
        ("amqp://me:SECRET@host?heartbeat=soon", "heartbeat is a number of seconds, not 'soon'"),
        ("amqp://me:SECRET@host?password_file=/none", "password_file file '/none' cannot be read"),
    ],
)
def test_wrong_urls(url: str, telling: str) -> None:
    with pytest.raises(UsageError, match=telling) as caught:
        RabbitmqAddress.parse(url)
    assert "SECRET" not in str(caught.value)
    assert "RET@" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"), [("amqp://localhost", True), ("amqp://127.0.0.1,[::1]", True), ("amqp://a", False)]
)
def test_what_is_local(url: str, local: bool) -> None:
    assert RabbitmqAddress.parse(url).is_local is local
