"""What the URLs of all brokers have in common: hosts, parameters that name files, and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ewms.core.errors import UsageError


def hosts_and_ports(text: str, default_port: int) -> list[tuple[str, int]]:
    """From `host-a:1,host-b`; empty if it is malformed."""
    try:
        return [_host_and_port(part, default_port) for part in text.split(",")]
    except ValueError:
        return []


def _host_and_port(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path.strip("/"):
        raise ValueError(text)
    return parts.hostname, parts.port or default_port


def query_parameters(shown: str, query: str, *, files: Iterable[str], numbers: Mapping[str, str]) -> dict[str, str]:
    """The query of a URL, its files readable and its numbers numbers; `UsageError` otherwise.

    Parameters
    ----------
    shown
        The URL without its secrets.
    files
        Parameters that name files.
    numbers
        Parameters that are whole numbers, and of what.
    """
    known = (*files, *numbers)
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in parameters.items():
        if name not in known:
            raise UsageError(f"broker URL {shown} has an unknown parameter {name!r}; known are {', '.join(known)}")
        if name in numbers:
            if not value.isdecimal():
                raise UsageError(f"broker URL {shown}: {name} is a number of {numbers[name]}, not {value!r}")
        else:
            _check_readable(shown, name, value)
    return parameters


def _check_readable(shown: str, name: str, path: str) -> None:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise UsageError(f"broker URL {shown}: {name} file {path!r} cannot be read: {error.strerror}") from error


def tls_context(shown: str, parameters: Mapping[str, str]) -> ssl.SSLContext:
    """How to encrypt, from the parameters `ca`, `cert` and `key`; `UsageError` if the files are of no use."""
    try:
        context = ssl.create_default_context(cafile=parameters.get("ca"))
        if "cert" in parameters:
            context.load_cert_chain(parameters["cert"], parameters.get("key"))
    except ssl.SSLError as error:
        raise UsageError(f"broker URL {shown}: the ca, cert or key file is not usable: {error.reason}") from error
    return context
