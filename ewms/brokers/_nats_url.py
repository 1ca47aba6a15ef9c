"""NATS URLs.

    nats://host:4222                  no credentials; TLS where the server demands it
    tls://host:4222                   TLS, or no connection
    nats://token@host                 a token
    nats://user:password@host         user and password, percent-encoded
    nats://token@host-a,host-b:4333   several servers of one cluster

Query parameters name files, so that the secret itself need not be in the URL: `token_file`, `creds` (user JWT and
seed), `nkey` (seed), `ca` (authorities to trust), `cert` and `key` (client certificate). `replicas` is the number of
servers of a cluster that keep each queue.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from ewms.brokers.urls import redact
from ewms.core.errors import UsageError

DEFAULT_PORT = 4222
_FILES = ("token_file", "creds", "nkey", "ca", "cert", "key")
_SEED = re.compile(r"\A\s*SU[A-Z2-7]{56}\s*\Z")
_CREDS = re.compile(r"BEGIN NATS USER JWT-----\n.+\n[\s\S]*BEGIN USER NKEY SEED-----\nSU[A-Z2-7]{56}\n")
_PARAMETERS = (*_FILES, "replicas")


class NatsAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed NATS URL."""

    shown: str
    """What logs and errors may say."""
    servers: list[str]
    """`scheme://host:port` of each, without credentials."""
    is_local: bool
    """No other host can reach it."""
    login: dict[str, Any]
    """The credentials, as arguments of nats-py's `connect`."""
    tls: ssl.SSLContext | None
    """How to encrypt, or None if the URL does not ask for it."""
    replicas: int
    """Copies of each queue that a cluster keeps."""

    @classmethod
    def parse(cls, url: str) -> NatsAddress:
        """Read a URL and the files it names; `UsageError` says what is wrong with it, without its secrets."""
        shown = redact(url)
        head, _, query = url.partition("?")
        scheme, _, authority = head.partition("://")
        userinfo, _, hosts = authority.rpartition("@")
        hosts = hosts.replace(f"{scheme}://", "")
        try:
            addresses = [_host_and_port(text) for text in hosts.split(",")]
        except ValueError:
            addresses = []
        if not addresses or "@" in userinfo:
            raise UsageError(f"broker URL {shown} is malformed; use {scheme}://host:port and percent-encode credentials")
        parameters = _parameters(shown, query)
        return cls(
            shown=shown,
            servers=[f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host, port in addresses],
            is_local=all(_is_loopback(host) for host, _ in addresses),
            login=_login(shown, userinfo, parameters),
            tls=_tls(shown, parameters) if scheme == "tls" or {"ca", "cert"} & parameters.keys() else None,
            replicas=int(parameters.get("replicas", "1")),
        )


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path.strip("/"):
        raise ValueError(text)
    return parts.hostname, parts.port or DEFAULT_PORT


def _parameters(shown: str, query: str) -> dict[str, str]:
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in parameters.items():
        if name not in _PARAMETERS:
            raise UsageError(f"broker URL {shown} has an unknown parameter {name!r}; known are {', '.join(_PARAMETERS)}")
        if name in _FILES:
            _check_readable(shown, name, value)
        elif not value.isdecimal():
            raise UsageError(f"broker URL {shown}: {name} is a number of servers, not {value!r}")
    return parameters


def _check_readable(shown: str, name: str, path: str) -> None:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise UsageError(f"broker URL {shown}: {name} file {path!r} cannot be read: {error.strerror}") from error


def _login(shown: str, userinfo: str, parameters: dict[str, str]) -> dict[str, Any]:
    login: dict[str, Any] = {}
    user, separator, password = userinfo.partition(":")
    if separator:
        login |= {"user": unquote(user), "password": unquote(password)}
    elif user:
        login["token"] = unquote(user)
    if "token_file" in parameters:
        login["token"] = Path(parameters["token_file"]).read_text().strip()
    if "creds" in parameters:
        login["user_credentials"] = parameters["creds"]
        _check_seed(shown, "creds", parameters["creds"], _CREDS)
    if "nkey" in parameters:
        login["nkeys_seed"] = parameters["nkey"]
        _check_seed(shown, "nkey", parameters["nkey"], _SEED)
    return login


def _check_seed(shown: str, name: str, path: str, form: re.Pattern[str]) -> None:
    """nats-py fails in strange ways on files of another form."""
    if not form.search(Path(path).read_text(errors="replace")):
        raise UsageError(f"broker URL {shown}: {name} file {path!r} does not hold what `nsc` writes into one")
    if importlib.util.find_spec("nkeys") is None:
        raise UsageError(f'broker URL {shown}: {name} files need another package; pip install "ewms[nkeys]"')


def _tls(shown: str, parameters: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=parameters.get("ca"))
        if "cert" in parameters:
            context.load_cert_chain(parameters["cert"], parameters.get("key"))
    except ssl.SSLError as error:
        raise UsageError(f"broker URL {shown}: the ca, cert or key file is not usable: {error.reason}") from error
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
