"""A credential for one queue, in the three words that EWMS has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

from ewms.brokers.nats_login import NatsLogin

_TYPES = {"nats": "nats", "tls": "nats", "amqp": "rabbitmq", "amqps": "rabbitmq"}


@dataclass(frozen=True, kw_only=True)
class QueueCredential:
    """How a plain client of a broker gets at one queue."""

    broker_type: str
    """`nats`, `rabbitmq`, or the scheme of another broker's URLs."""
    address: str
    """Where, without the secret: `user@host:port/vhost` for RabbitMQ, a URL for others."""
    token: str
    """The secret: the content of a `.creds` file for NATS, a password for RabbitMQ; empty where there is none."""

    @classmethod
    def of(cls, url: str) -> Self:
        """What a broker URL says."""
        parts = urlsplit(url)
        userinfo, _, host = parts.netloc.rpartition("@")
        plain = urlunsplit(parts._replace(netloc=host))
        broker_type = _TYPES.get(parts.scheme, parts.scheme)
        login = NatsLogin.of(userinfo)
        if login is not None:
            return cls(broker_type=broker_type, address=plain, token=login.credentials)
        user, _, password = userinfo.partition(":")
        if broker_type == "rabbitmq":
            plain = f"{user}@{plain.partition('://')[2]}"
        return cls(broker_type=broker_type, address=plain, token=unquote(password or user))
