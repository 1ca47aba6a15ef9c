"""Logging in at a service's OpenID provider from a terminal: the device authorization grant (RFC 8628)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from ewms.client.connection import Connection, ServiceUnavailable, checked_url
from ewms.client.tokens import Login
from ewms.core.errors import Forbidden, UsageError

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SECONDS = 30.0
_SLOWER_SECONDS = 5.0


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a user is to do in a browser."""

    url: str
    """The page."""
    code: str
    """To be entered there."""
    whole_url: str = ""
    """The page with the code filled in, where the provider offers that."""


class Provider:
    """The OpenID provider that a service trusts.

    Parameters
    ----------
    issuer
        Its URL.
    client_id
        As what this program is known there.
    """

    def __init__(self, issuer: str, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id

    @classmethod
    def of(cls, connection: Connection) -> tuple[Provider, str]:
        """The provider of a service and the scope to ask for; `UsageError` where tokens come another way."""
        about = connection.get("/api/about")
        login = about.get("login") if isinstance(about, dict) else None
        if not login:
            raise UsageError(
                f"{connection.url} has no login: its administrator makes tokens with `ewms token`; "
                "put yours into a file and name it in EWMS_TOKEN_FILE"
            )
        return cls(login["issuer"], login["client_id"]), login.get("scope") or "openid offline_access"

    def log_in(self, scope: str, show: Callable[[Prompt], object]) -> Login:
        """Wait until the user has agreed in a browser, which `show` tells how.

        Raises
        ------
        Forbidden
            The user did not agree, or not in time.
        UsageError
            The provider knows no such login.
        ServiceUnavailable
            The provider does not answer.
        """
        endpoints = self._endpoints()
        begun = _post(endpoints["device_authorization_endpoint"], {"client_id": self._client_id, "scope": scope})
        _check(begun, self._issuer)
        show(
            Prompt(
                url=begun.get("verification_uri", ""),
                code=begun.get("user_code", ""),
                whole_url=begun.get("verification_uri_complete", ""),
            )
        )
        return self._wait(endpoints["token_endpoint"], begun)

    def _endpoints(self) -> dict[str, str]:
        found = _get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        for name in ("device_authorization_endpoint", "token_endpoint"):
            if not isinstance(found.get(name), str):
                raise UsageError(f"{self._issuer} offers no login from a terminal ({name} is missing); use EWMS_TOKEN_FILE")
            checked_url(found[name])
        if found.get("issuer") != self._issuer:
            raise UsageError(f"{self._issuer} calls itself {found.get('issuer')!r}; tell the administrator of the service")
        return found

    def _wait(self, token_endpoint: str, begun: dict[str, Any]) -> Login:
        pause = float(begun.get("interval", _SLOWER_SECONDS))
        end = time.monotonic() + float(begun.get("expires_in", 600))
        form = {"grant_type": _DEVICE_GRANT, "device_code": begun["device_code"], "client_id": self._client_id}
        while time.monotonic() < end:
            time.sleep(pause)
            answer = _post(token_endpoint, form)
            match answer.get("error"):
                case None:
                    return _login(answer, token_endpoint, self._client_id)
                case "authorization_pending":
                    continue
                case "slow_down":
                    pause += _SLOWER_SECONDS
                case "access_denied":
                    raise Forbidden("the login was refused in the browser; nothing was kept")
                case "expired_token":
                    break
                case _:
                    _check(answer, self._issuer)
        raise Forbidden("nobody agreed to the login in time; run `ewms login` again")


def renew(login: Login) -> Login:
    """Another login for one that is about to end; `Forbidden` where the provider does not renew it any more."""
    form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token, "client_id": login.client_id}
    answer = _post(login.token_endpoint, form)
    if "error" in answer:
        raise Forbidden("the login has ended; run `ewms login` again")
    return _login({"refresh_token": login.refresh_token, **answer}, login.token_endpoint, login.client_id)


def _login(answer: dict[str, Any], token_endpoint: str, client_id: str) -> Login:
    if not isinstance(answer.get("access_token"), str):
        raise UsageError(f"{token_endpoint} gave no access token; use EWMS_TOKEN_FILE")
    return Login(
        token=answer["access_token"],
        expires_at=time.time() + float(answer.get("expires_in", 300)),
        refresh_token=answer.get("refresh_token", ""),
        token_endpoint=token_endpoint,
        client_id=client_id,
    )


def _check(answer: dict[str, Any], issuer: str) -> None:
    if "error" in answer:
        raise UsageError(f"{issuer} refuses the login: {answer.get('error_description') or answer['error']}")


def _get(url: str) -> dict[str, Any]:
    return _answer(url, lambda: httpx2.get(checked_url(url), timeout=_SECONDS))


def _post(url: str, form: dict[str, str]) -> dict[str, Any]:
    return _answer(url, lambda: httpx2.post(url, data=form, headers={"Accept": "application/json"}, timeout=_SECONDS))


def _answer(url: str, ask: Callable[[], httpx2.Response]) -> dict[str, Any]:
    try:
        found = ask().json()
    except httpx2.TransportError as error:
        raise ServiceUnavailable(f"the provider does not answer at {url} ({error}); try again later") from error
    except ValueError as error:
        raise UsageError(f"{url} is no OpenID provider: it answers without JSON") from error
    if not isinstance(found, dict):
        raise UsageError(f"{url} is no OpenID provider: it answers {type(found).__name__}")
    return found
