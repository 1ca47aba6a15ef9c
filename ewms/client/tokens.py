"""Where a client's token comes from: the environment, a file, or an earlier login."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ewms.core.errors import InputError
from ewms.secret_file import read_secret_file, write_secret_file

VARIABLE = "EWMS_TOKEN"
"""Variable that holds a token."""
FILE_VARIABLE = "EWMS_TOKEN_FILE"
"""Variable that names a file with one."""
_MARGIN_SECONDS = 30.0

Renew = Callable[["Login"], "Login"]
"""Exchanges a login that is about to end for another."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What an OpenID provider gave for one service."""

    token: str
    """Sent to the service."""
    expires_at: float
    """Seconds since 1970, by this machine's clock."""
    refresh_token: str = ""
    """Renews it; empty where the provider gives none."""
    token_endpoint: str = ""
    """Where."""
    client_id: str = ""
    """As which client."""

    @property
    def is_fresh(self) -> bool:
        """Whether the token still lasts a while."""
        return time.time() < self.expires_at - _MARGIN_SECONDS


class Logins:
    """The logins of this user, in a file that nobody else may read.

    Parameters
    ----------
    path
        `ewms/logins.json` in the user's configuration folder if left out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _configuration_folder(os.environ) / "ewms" / "logins.json"

    def find(self, url: str) -> Login | None:
        """The login at a service; None if there is none."""
        return self._read().get(url)

    def keep(self, url: str, login: Login | None) -> None:
        """Keep a login at a service, or forget it."""
        logins = self._read()
        logins.pop(url, None)
        if login is not None:
            logins[url] = login
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_secret_file(self.path, msgspec.json.encode(logins).decode())
        except OSError as error:
            raise InputError(f"the login cannot be kept in {self.path}: {error.strerror}") from error

    def _read(self) -> dict[str, Login]:
        if not self.path.exists():
            return {}
        try:
            return msgspec.json.decode(read_secret_file(self.path), type=dict[str, Login])
        except msgspec.MsgspecError as error:
            raise InputError(f"{self.path} cannot be read ({error}); remove it and log in again") from error


def token_source(
    url: str, renew: Renew, *, environment: Mapping[str, str] = os.environ, logins: Logins | None = None
) -> Callable[[], str]:
    """What gives the token for a service: `EWMS_TOKEN`, else `EWMS_TOKEN_FILE`, else the login, else an empty one.

    The file is read each time, because it may be replaced. Raises `InputError` for one that cannot be read.
    """
    if token := environment.get(VARIABLE, "").strip():
        return lambda: token
    if path := environment.get(FILE_VARIABLE, ""):
        return lambda: _token_in(Path(path))
    kept = logins or Logins()
    if kept.find(url) is None:
        return str

    def from_login() -> str:
        login = kept.find(url)
        if login is not None and not login.is_fresh and login.refresh_token:
            login = renew(login)
            kept.keep(url, login)
        return "" if login is None else login.token

    return from_login


def _token_in(path: Path) -> str:
    token = read_secret_file(path)
    if len(token.split()) > 1:
        raise InputError(f"{FILE_VARIABLE} names {path}, which holds more than a token")
    return token


def _configuration_folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
