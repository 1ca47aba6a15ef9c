"""Requests to a service: repeated while it is away, with its errors as ours."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Container, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import pydantic_core

from ewms.core.errors import Conflict, EwmsError, Forbidden, InputError, NotFound, UsageError

_log = logging.getLogger("ewms.client")
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_FIRST_PATIENCE = 2.0
PATIENCE = 300.0
"""Seconds for which a service that has answered before may be away, where nobody says otherwise."""
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_AWAY = frozenset(
    {
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_REFUSALS: dict[int, type[EwmsError]] = {
    HTTPStatus.BAD_REQUEST: InputError,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InputError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InputError,
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ServiceUnavailable(EwmsError):
    """The service does not answer; what was submitted goes on without this command, so try again later."""


class ServiceBusy(ServiceUnavailable):
    """The service takes no more for the moment; try again later."""


class Connection:
    """A context manager: requests to one service, in the caller's thread.

    Parameters
    ----------
    url
        Of the service, without a path of a route.
    token
        Gives the bearer token, anew for each request, because it may be renewed meanwhile; empty for none.
    patience
        Seconds for which a service that has answered before may be away.

    Raises
    ------
    UsageError
        The URL is none, or would carry a token in clear text to another machine.
    """

    def __init__(self, url: str, token: Callable[[], str] = str, *, patience: float = PATIENCE) -> None:
        self.url = checked_url(url)
        self._token = token
        self._patience = patience
        self._known = False
        self._http = httpx2.Client(
            base_url=self.url, timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS), follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection. Idempotent."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON behind a path; query parameters that are None are left out."""
        return self.json(self.send("GET", path, params={key: value for key, value in query.items() if value is not None}))

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        """The JSON that a service answers to JSON. What is posted is repeatable by the service's contract."""
        content = pydantic_core.to_json({} if body is None else body)
        return self.json(
            self.send("POST", path, content=content, headers={"Content-Type": "application/json", **(headers or {})})
        )

    def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """The answer to a request, which is repeated while the service is away.

        Parameters
        ----------
        request
            For httpx2; and `also`, codes that are no refusals here.

        Raises
        ------
        ServiceUnavailable
            It stays away.
        InputError, Forbidden, NotFound, Conflict, UsageError
            It refuses, for the reason that it gives.
        """
        with self.open(method, path, stream=False, **request) as answer:
            return answer

    @contextlib.contextmanager
    def open(self, method: str, path: str, *, stream: bool = True, **request: Any) -> Iterator[httpx2.Response]:
        """An answer whose content may be read as it comes; raises as `send` does until it has begun."""
        began, tries = time.monotonic(), 0
        while True:
            try:
                answer = self._try(method, path, stream=stream, **request)
                break
            except ServiceUnavailable as error:
                patience = self._patience if self._known else min(_FIRST_PATIENCE, self._patience)
                pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
                if time.monotonic() - began + pause > patience:
                    raise
                _log.info("service_away", extra={"reason": str(error)})
                time.sleep(pause)
                tries += 1
        try:
            yield answer
        finally:
            answer.close()

    def _try(
        self,
        method: str,
        path: str,
        *,
        stream: bool,
        headers: dict[str, str] | None = None,
        also: Container[int] = (),
        **request: Any,
    ) -> httpx2.Response:
        if self._http.is_closed:
            raise UsageError(f"the session with {self.url} was closed; connect again")
        token = self._token()
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            answer = self._http.send(self._http.build_request(method, path, headers=sent, **request), stream=stream)
            if not answer.is_success:
                answer.read()
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise ServiceUnavailable(
                f"no service answers at {self.url} ({reason}); check the address and that it runs"
            ) from error
        if not answer.is_success and answer.status_code not in also:
            raise self._refusal(answer)
        self._known = True
        return answer

    def _refusal(self, answer: httpx2.Response) -> EwmsError:
        code, said = answer.status_code, _said(answer)
        if code == HTTPStatus.UNAUTHORIZED:
            return Forbidden(f"{self.url}: {said}; run `ewms login --server {self.url}`, or set EWMS_TOKEN_FILE")
        if code in _REFUSALS:
            return _REFUSALS[code](said)
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            return ServiceBusy(f"{self.url}: {said}; try again later")
        if code in _AWAY:
            return ServiceUnavailable(f"{self.url} is not ready ({code}: {said}); try again later")
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return EwmsError(f"{self.url} failed ({code}: {said}); its log says more")
        return UsageError(f"{self.url} is no ewms service of this version: {code} {said}; check the address")

    def json(self, answer: httpx2.Response) -> Any:
        """What an answer holds, None for nothing; `UsageError` where that is no JSON."""
        if not answer.content:
            return None
        try:
            return pydantic_core.from_json(answer.content)
        except ValueError as error:
            raise UsageError(f"{self.url} is no ewms service: it answers {answer.url.path} without JSON") from error


def checked_url(url: str) -> str:
    """The URL without a slash at its end; `UsageError` for one that is none, or that is not safe for a token."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"server {url!r} is no URL; write for example https://ewms.example.org")
    if parts.username or parts.password:
        raise UsageError(
            "a server's URL holds no password; put the token into EWMS_TOKEN or a file named by EWMS_TOKEN_FILE"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"server {url}: http would show your token to the network; use https")
    return url.rstrip("/")


def _said(answer: httpx2.Response) -> str:
    """What the service said in one line, by EWMS's `{"code": …, "error": …}`."""
    with contextlib.suppress(ValueError):
        body = pydantic_core.from_json(answer.content)
        if isinstance(body, dict) and isinstance(body.get("error"), str):
            return str(body["error"]).rstrip(".")
    return answer.reason_phrase or "no reason given"
