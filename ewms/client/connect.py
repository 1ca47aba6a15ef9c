"""`ewms.connect`: the way from Python to a shared service."""

from __future__ import annotations

import os

from ewms.client.connection import PATIENCE, Connection, checked_url
from ewms.client.login import renew
from ewms.client.session import Session
from ewms.client.tokens import token_source
from ewms.core.errors import UsageError

SERVER_VARIABLE = "EWMS_SERVER"
"""Variable that holds the URL of the service."""


def connect(url: str | None = None, *, token: str | None = None) -> Session:
    """A session with a service, with the same `map` and `run` as `ewms` has.

    >>> with ewms.connect("https://ewms.example.org") as service:
    ...     results = list(service.map(square, range(1000)))

    Parameters
    ----------
    url
        Of the service; `EWMS_SERVER` if left out.
    token
        Instead of `EWMS_TOKEN`, `EWMS_TOKEN_FILE` or what `ewms login` left.

    Raises
    ------
    UsageError
        There is no URL, or the token cannot be read. Nothing is sent yet.
    """
    return Session(connection_to(url, token=token))


def connection_to(url: str | None = None, *, token: str | None = None, patience: float = PATIENCE) -> Connection:
    """What a session has below it; parameters as of `connect` and `Connection`, raises `UsageError` as these do."""
    address = url or os.environ.get(SERVER_VARIABLE, "")
    if not address:
        raise UsageError(f"there is no server; give its URL, or set {SERVER_VARIABLE}")
    address = checked_url(address)
    source = token_source(address, renew) if token is None else lambda: token
    return Connection(address, source, patience=patience)
