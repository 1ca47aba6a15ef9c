"""RabbitMQ URLs.

    amqp://user:password@host:5672/vhost     user and password, percent-encoded; guest and guest if left out
    amqps://user:password@host:5671/vhost    TLS, or no connection
    amqp://user@host-a,host-b/vhost          several servers of one cluster

The virtual host is percent-encoded too; without one it is `/`. Query parameters name files, so that the secret itself need
not be in the URL: `password_file`, `ca` (authorities to trust), `cert` and `key` (client certificate). `heartbeat` is the
number of seconds after which a silent connection is given up by half; `consumer_timeout` the number of seconds for which the
servers let a message be held, where an administrator has changed that.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec

from ewms.brokers._addresses import hosts_and_ports, query_parameters, tls_context
from ewms.brokers._rabbitmq_guests import Guest
from ewms.brokers.urls import redact
from ewms.core.addresses import is_loopback
from ewms.core.errors import UsageError

_PORTS = {"amqp": 5672, "amqps": 5671}
_FILES = ("password_file", "ca", "cert", "key")
_NUMBERS = {"heartbeat": "seconds", "consumer_timeout": "seconds"}
_HEARTBEAT_SECONDS = 20
_GUEST = "guest"


class RabbitmqAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed RabbitMQ URL."""

    shown: str
    """What logs and errors may say."""
    servers: list[str]
    """A URL for each server, with credentials."""
    vhost: str
    """Virtual host, in clear."""
    guest: Guest | None
    """What the user may do, if it is one of those that a service issues."""
    is_local: bool
    """No other host can reach it."""
    tls: ssl.SSLContext | None
    """How to encrypt, or None for not at all."""
    consumer_timeout: float | None
    """Seconds for which a message may be held, as far as the URL tells."""

    @classmethod
    def parse(cls, url: str) -> RabbitmqAddress:
        """Read a URL and the files it names; `UsageError` says what is wrong with it, without its secrets."""
        shown = redact(url)
        head, _, query = url.partition("?")
        scheme, _, rest = head.partition("://")
        authority, _, path = rest.partition("/")
        userinfo, _, hosts = authority.rpartition("@")
        addresses = hosts_and_ports(hosts, _PORTS[scheme])
        if not addresses or "@" in userinfo or "/" in path or "@" in path:
            raise UsageError(
                f"broker URL {shown} is malformed; use {scheme}://user:password@host:port/vhost and percent-encode each part"
            )
        parameters = query_parameters(shown, query, files=_FILES, numbers=_NUMBERS)
        vhost = unquote(path) or "/"
        heartbeat = parameters.get("heartbeat", str(_HEARTBEAT_SECONDS))
        limit = parameters.get("consumer_timeout")
        start = f"{scheme}://{_login(userinfo, parameters)}@"
        end = f"/{quote(vhost, safe='')}?heartbeat={heartbeat}"
        return cls(
            shown=shown,
            servers=[f"{start}{f'[{host}]' if ':' in host else host}:{port}{end}" for host, port in addresses],
            vhost=vhost,
            guest=Guest.of(unquote(userinfo.partition(":")[0])),
            is_local=all(is_loopback(host) for host, _ in addresses),
            tls=tls_context(shown, parameters) if scheme == "amqps" else None,
            consumer_timeout=None if limit is None else float(limit),
        )


def _login(userinfo: str, parameters: dict[str, str]) -> str:
    user, _, password = userinfo.partition(":")
    if "password_file" in parameters:
        password = quote(Path(parameters["password_file"]).read_text().strip(), safe="")
    return f"{user or _GUEST}:{password or _GUEST}"
