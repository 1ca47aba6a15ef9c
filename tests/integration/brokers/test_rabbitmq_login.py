"""Every way to log in to RabbitMQ, in the clear and by TLS, and what is said when it fails."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
import trustme

from ewms.brokers import _rabbitmq_queues
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable
from tests.support.rabbitmq import PASSWORD, RabbitmqServer


async def check_works(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rabbitmq_queues, "SETTLING_SECONDS", 0.0)
    async with broker_for(url, patience=5.0) as broker:
        await broker.declare("login", 30.0)
        await broker.publish("login", b"x" * 100_000, "1")
        async with await broker.consumer("login") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
        assert len(delivery.body) == 100_000
        await broker.delete("login")


async def check_refused(url: str, telling: str, kind: type[BrokerError], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ewms")
    began = time.monotonic()
    with pytest.raises(kind, match=telling) as caught:
        await broker_for(url).connect()
    assert time.monotonic() - began < 5.0
    assert "\n" not in str(caught.value)
    for secret in ("SECRET", PASSWORD, "p%40ss"):
        assert secret not in str(caught.value) + caplog.text


async def test_user_and_password(
    rabbitmq: RabbitmqServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await check_works(rabbitmq.url(), monkeypatch)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    await check_works(rabbitmq.url(password="", query=f"?password_file={tmp_path / 'password'}"), monkeypatch)
    await check_refused(rabbitmq.url(password="SECRET"), "refuses the credentials", BrokerRejected, caplog)
    await check_refused(f"amqp://127.0.0.1:{rabbitmq.port}/", "refuses the credentials", BrokerRejected, caplog)


async def test_a_virtual_host_that_is_missing(rabbitmq: RabbitmqServer, caplog: pytest.LogCaptureFixture) -> None:
    await check_refused(
        rabbitmq.url(vhost="none such"), "has no virtual host 'none such' for this user", BrokerRejected, caplog
    )


async def test_tls(rabbitmq: RabbitmqServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "client.pem"
    authority.issue_cert("pilot@example.org").private_key_and_cert_chain_pem.write_to_path(client)
    await check_works(rabbitmq.tls_url(f"?ca={rabbitmq.ca}"), monkeypatch)
    await check_works(rabbitmq.tls_url(f"?ca={rabbitmq.ca}&cert={client}&key={client}"), monkeypatch)


async def test_an_untrusted_server_is_refused(
    rabbitmq: RabbitmqServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    await check_refused(rabbitmq.tls_url(f"?ca={other}"), "is not trusted.*name its authority", BrokerRejected, caplog)
    await check_refused(rabbitmq.tls_url(""), "is not trusted", BrokerRejected, caplog)


async def test_the_wrong_port(rabbitmq: RabbitmqServer, caplog: pytest.LogCaptureFixture) -> None:
    encrypted = rabbitmq.url().replace("amqp://", "amqps://")
    await check_refused(encrypted, "TLS with .* failed: .*check the port", BrokerRejected, caplog)
    clear = rabbitmq.tls_url("").replace("amqps://", "amqp://")
    await check_refused(clear, "no RabbitMQ server answers", BrokerUnavailable, caplog)
