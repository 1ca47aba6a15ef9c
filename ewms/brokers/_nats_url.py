"""NATS URLs.

    nats://host:4222                  no credentials; TLS where the server demands it
    tls://host:4222                   TLS, or no connection
    nats://token@host                 a token
    nats://user:password@host         user and password, percent-encoded
    nats://jwt:seed@host              a user's token and the seed of its key, as the service issues them
    nats://token@host-a,host-b:4333   several servers of one cluster

Query parameters name files, so that the secret itself need not be in the URL: `token_file`, `creds` (user JWT and
seed), `nkey` (seed), `ca` (authorities to trust), `cert` and `key` (client certificate). `replicas` is the number of
servers of a cluster that keep each queue.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from nats.aio.client import RawCredentials

from ewms.brokers._addresses import hosts_and_ports, query_parameters, tls_context
from ewms.brokers.nats_login import NatsLogin
from ewms.brokers.urls import redact
from ewms.core.addresses import is_loopback
from ewms.core.errors import UsageError

DEFAULT_PORT = 4222
_INBOX = "_INBOX"
_FILES = ("token_file", "creds", "nkey", "ca", "cert", "key")
_SEED = re.compile(r"\A\s*SU[A-Z2-7]{56}\s*\Z")
_CREDS = re.compile(r"BEGIN NATS USER JWT-----\n.+\n[\s\S]*BEGIN USER NKEY SEED-----\nSU[A-Z2-7]{56}\n")
_NUMBERS = {"replicas": "servers"}


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
    inbox: str
    """Where answers go: all subjects below."""
    is_issued: bool
    """The credentials may allow nothing but the work of certain queues."""
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
        addresses = hosts_and_ports(hosts, DEFAULT_PORT)
        if not addresses or "@" in userinfo:
            raise UsageError(f"broker URL {shown} is malformed; use {scheme}://host:port and percent-encode credentials")
        parameters = query_parameters(shown, query, files=_FILES, numbers=_NUMBERS)
        issued = NatsLogin.of(userinfo)
        return cls(
            shown=shown,
            servers=[f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host, port in addresses],
            is_local=all(is_loopback(host) for host, _ in addresses),
            login=_login(shown, userinfo, parameters)
            if issued is None
            else {"user_credentials": RawCredentials(issued.credentials)},
            inbox=_INBOX if issued is None else issued.inbox,
            is_issued=issued is not None,
            tls=tls_context(shown, parameters) if scheme == "tls" or {"ca", "cert"} & parameters.keys() else None,
            replicas=int(parameters.get("replicas", "1")),
        )


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
