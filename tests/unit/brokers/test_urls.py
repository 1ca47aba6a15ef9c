"""Broker URLs: which broker they mean, and what of them may be shown."""

from __future__ import annotations

import sys

import pytest

from ewms.brokers.memory import MemoryBroker
from ewms.brokers.nats import NatsBroker
from ewms.brokers.urls import broker_for, redact
from ewms.core.errors import UsageError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://host:4222", "nats://host:4222"),
        ("nats://host", "nats://host"),
        ("nats://SECRET@host:4222", "nats://host:4222"),
        ("tls://me:SECRET@host:4222", "tls://host:4222"),
        ("nats://me:SE:CR@ET/S?ECRET@host:1", "…"),
        ("nats://me:SE/CR@host:1", "nats://host:1"),
        ("nats://SECRET@a:1,SECRET@b:2", "nats://b:2"),
        ("nats://a:1,b:2", "nats://a:1,b:2"),
        ("nats://host?token_file=/run/SECRET&ca=/ca.pem", "nats://host"),
        ("nats://host?creds=/home/me@SECRET/x.creds", "…"),
        ("memory://name", "memory://name"),
        ("host:4222", "host:4222"),
        ("SECRET@host:4222", "…"),
    ],
)
def test_redact_shows_hosts_alone(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize(
    ("url", "kind"), [("memory://x", MemoryBroker), ("nats://host", NatsBroker), ("tls://host", NatsBroker)]
)
def test_the_scheme_decides(url: str, kind: type) -> None:
    assert type(broker_for(url)) is kind


@pytest.mark.parametrize("url", ["amqpp://SECRET@host", "host:4222", "", "SECRET@host", "://host"])
def test_an_unknown_scheme_names_the_known_ones(url: str) -> None:
    with pytest.raises(UsageError, match=r"memory://.*nats://.*tls://") as caught:
        broker_for(url)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "library", "extra"), [("amqp://me:SECRET@host", "aiormq", "rabbitmq"), ("pulsar://host", "pulsar", "pulsar")]
)
def test_a_library_that_is_missing_is_named(url: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = (f"{library}.", f"ewms.brokers._{extra}", f"ewms.brokers.{extra}")
    for name in [name for name in sys.modules if name.startswith(loaded)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        UsageError, match=rf'needs {library}, which is not installed; pip install "ewms\[{extra}\]"'
    ) as caught:
        broker_for(url)
    assert "SECRET" not in str(caught.value)
