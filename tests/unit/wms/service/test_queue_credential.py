from __future__ import annotations

import pytest

from ewms.pilot.environment import broker_url
from ewms.wms.service.queue_credential import queue_credential


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("amqp://ada:p%2Fw@host:5672/vhost", ("rabbitmq", "ada@host:5672/vhost", "p/w")),
        ("amqps://ada:pw@host/vhost", ("rabbitmq", "amqps://ada@host/vhost", "pw")),
        ("nats://eyJ.x.y:SUAB@host:4222", ("nats", "eyJ.x.y@host:4222", "SUAB")),
        ("nats://secret@host:4222", ("nats", "host:4222", "secret")),
        ("tls://host:4222", ("nats", "tls://host:4222", "")),
        ("memory://test", ("memory", "test", "")),
    ],
)
def test_a_profile_holds_what_makes_the_url_again(url: str, parts: tuple[str, str, str]) -> None:
    credential = queue_credential(url)
    assert credential == parts
    if credential.broker_type != "memory":  # as EWMS's pilots put it together, ours too
        assert broker_url(*credential) == url
