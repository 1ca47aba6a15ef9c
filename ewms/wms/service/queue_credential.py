"""A broker URL with credentials as EWMS's mq-profiles have it: type, address with the user's name, and token. Pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

_TYPES = {"amqp": "rabbitmq", "amqps": "rabbitmq", "nats": "nats", "tls": "nats"}
_ENCRYPTED = frozenset({"amqps", "tls"})


class QueueCredential(NamedTuple):
    """What a client of a queue is told. `TYPE://USER:TOKEN@HOST…` is a URL again."""

    broker_type: str
    """`rabbitmq`, `nats`, or the scheme of another broker."""
    broker_address: str
    """`USER@HOST:PORT/VHOST`; with its scheme in front where the connection is to be encrypted."""
    auth_token: str
    """The password; empty where there is none."""


def queue_credential(url: str) -> QueueCredential:
    """The parts of an issued URL."""
    scheme, _, rest = url.partition("://")
    userinfo, separator, host = rest.rpartition("@")
    user, has_password, token = userinfo.partition(":")
    if separator and not has_password:  # NATS knows tokens without a user
        user, token = "", user
    address = f"{user}@{host}" if user else host
    prefix = f"{scheme}://" if scheme in _ENCRYPTED else ""
    return QueueCredential(_TYPES.get(scheme, scheme), f"{prefix}{address}", unquote(token))
