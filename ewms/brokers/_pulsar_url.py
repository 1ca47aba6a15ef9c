"""Pulsar URLs.

pulsar://host:6650                      tenant `public`, namespace `default`
pulsar://host:6650/tenant/namespace     another namespace
pulsar://host?token_file=FILE           with a token
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msgspec

from ewms.brokers._addresses import hosts_and_ports, query_parameters
from ewms.brokers.urls import redact
from ewms.core.addresses import is_loopback
from ewms.core.errors import UsageError

_PORT = 6650
_NAMESPACE = "public/default"


class PulsarAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed Pulsar URL."""

    shown: str
    """What logs and errors may say."""
    service: str
    """Where the client connects."""
    namespace: str
    """Tenant and namespace of all topics."""
    token: str | None
    """To log in with."""
    is_local: bool
    """No other host can reach it."""

    @classmethod
    def parse(cls, url: str) -> PulsarAddress:
        """Read a URL and the file it names; `UsageError` says what is wrong with it."""
        shown = redact(url)
        head, _, query = url.partition("?")
        hosts, _, path = head.partition("://")[2].partition("/")
        addresses = hosts_and_ports(hosts, _PORT)
        namespace = path.strip("/") or _NAMESPACE
        if not addresses or "@" in head or namespace.count("/") != 1:
            raise UsageError(f"broker URL {shown} is malformed; use pulsar://host:port/tenant/namespace?token_file=FILE")
        parameters = query_parameters(shown, query, files=("token_file",), numbers={})
        return cls(
            shown=shown,
            service="pulsar://" + ",".join(f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in addresses),
            namespace=namespace,
            token=Path(parameters["token_file"]).read_text().strip() if parameters else None,
            is_local=all(is_loopback(host) for host, _ in addresses),
        )

    def topic(self, kind: str, name: str) -> str:
        """The topic for a queue or a signal.

        Parameters
        ----------
        kind
            `persistent` or `non-persistent`.
        """
        return f"{kind}://{self.namespace}/{quote(name, safe='')}"
