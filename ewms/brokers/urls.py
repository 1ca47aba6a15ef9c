"""Broker URLs: which broker one means, and how to show it."""

from __future__ import annotations

from importlib.metadata import entry_points

from ewms.brokers.base import Broker
from ewms.core.errors import UsageError

DEFAULT_PATIENCE = 60.0
"""Seconds for which operations are tried again while the server is away."""
_GROUP = "ewms.brokers"
_EXTRAS = {"amqp": "rabbitmq", "amqps": "rabbitmq"}
"""What to install for a scheme, where it is not called so itself."""
_LOGINS = ("token_file=", "password_file=", "creds=", "nkey=", "cert=", "key=")
"""Parameters that say who somebody is."""


def broker_for(url: str, *, patience: float = DEFAULT_PATIENCE) -> Broker:
    """The broker a URL means, not yet connected.

    Parameters
    ----------
    url
        `nats://host:4222`, `tls://…`, `amqp://host/vhost`, `amqps://…`, `pulsar://host` or `memory://name`, or the scheme of
        another distribution's broker (entry-point group `ewms.brokers`). Their forms are told in `_nats_url` and its likes.
    patience
        Seconds for which operations are tried again while the server is away.

    Raises
    ------
    UsageError
        No broker has that scheme, its client library is not installed, or the URL is malformed.
    """
    scheme, separator, _ = url.partition("://")
    kinds = {point.name: point for point in entry_points(group=_GROUP)}
    if not separator or scheme not in kinds:
        known = ", ".join(f"{name}://" for name in sorted(kinds))
        raise UsageError(f"broker URL {redact(url)} has no known scheme; use one of {known}")
    try:
        kind = kinds[scheme].load()
    except ModuleNotFoundError as error:
        extra, library = _EXTRAS.get(scheme, scheme), (error.name or "").partition(".")[0]
        raise UsageError(
            f'broker URL {redact(url)} needs {library}, which is not installed; pip install "ewms[{extra}]"'
        ) from error
    broker: Broker = kind(url, patience=patience)
    return broker


def redact(url: str) -> str:
    """The URL without anything that may be secret: scheme, hosts and ports alone.

    What cannot be told apart from a secret is replaced by `…`.
    """
    scheme, separator, rest = url.partition("://")
    head, _, query = rest.partition("?")
    if not separator or "@" in query:
        return "…" if "@" in url else url
    hosts = head.rpartition("@")[2]
    return f"{scheme}://{hosts}"


def without_login(url: str) -> str:
    """The URL by which others, with credentials of their own, reach the same broker."""
    scheme, _, rest = url.partition("://")
    head, _, query = rest.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith(_LOGINS))
    return f"{scheme}://{head.rpartition('@')[2]}{'?' if kept else ''}{kept}"
