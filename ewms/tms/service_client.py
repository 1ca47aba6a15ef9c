"""The service over HTTP, by EWMS's routes where it has one, by our own otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
import msgspec
from pydantic import BaseModel, ValidationError

from ewms.core.config import PilotConfig
from ewms.core.errors import Forbidden, NotFound
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Plan
from ewms.tms.backend import Standing, Submitted
from ewms.tms.service import ServiceRefused, ServiceUnavailable

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_PLAN_SECONDS = 60.0
"""The service keeps the question for half a minute."""
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
_TMS = "/v1/tms"
M = TypeVar("M", bound=BaseModel)


class ServiceClient:
    """A `Service`, and an asynchronous context manager.

    Parameters
    ----------
    url
        Of the service.
    cluster
        Whose plan it asks for.
    token
        Gives the bearer token, anew for each request, because it may be replaced meanwhile; empty for none.
    tls
        For https; None for the certificates that the system trusts.
    """

    def __init__(self, url: str, cluster: str, token: Callable[[], str], *, tls: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._cluster = quote(cluster, safe="")
        self._token = token
        self._http = httpx2.AsyncClient(
            base_url=self._url,
            timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            verify=tls if tls is not None else True,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def plan(self, after: int | None) -> Plan:
        """See `Service.plan`."""
        query = {} if after is None else {"after": str(after)}
        timeout = httpx2.Timeout(_PLAN_SECONDS, connect=_CONNECT_SECONDS)
        answer = await self._send("GET", f"/api/tms/{self._cluster}/plan", params=query, timeout=timeout)
        return await asyncio.to_thread(_parsed, Plan, answer)  # it may be long

    async def pilot(self, uuid: str) -> PilotConfig:
        """See `Service.pilot`."""
        return _parsed(PilotConfig, await self._send("GET", f"/api/tms/taskforces/{quote(uuid, safe='')}/pilot"))

    @contextlib.asynccontextmanager
    async def download(self, workflow_id: str, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Service.download`."""
        path = f"/api/workflows/{quote(workflow_id, safe='')}/files/{quote(name)}"
        with self._translated():
            async with self._http.stream("GET", path, headers=self._headers()) as answer:
                if answer.is_error:
                    await answer.aread()
                self._check(answer)
                yield answer.aiter_bytes()

    async def confirm_submit(self, uuid: str, submitted: Submitted) -> None:
        """See `Service.confirm_submit`."""
        body = {
            "cluster_id": submitted.cluster_id,
            "n_workers": submitted.workers,
            "submit_dict": submitted.submit_dict,
            "job_event_log_fpath": submitted.event_log,
        }
        await self._tell(f"{_TMS}/condor-submit/taskforces/{quote(uuid, safe='')}", body)

    async def report_submit_failure(self, uuid: str, reason: str) -> None:
        """See `Service.report_submit_failure`."""
        await self._tell(f"{_TMS}/condor-submit/taskforces/{quote(uuid, safe='')}/failed", {"error": reason})

    async def confirm_removal(self, uuid: str) -> None:
        """See `Service.confirm_removal`."""
        await self._tell(f"{_TMS}/condor-rm/taskforces/{quote(uuid, safe='')}", {})

    async def report_removal_failure(self, uuid: str, reason: str) -> None:
        """See `Service.report_removal_failure`."""
        await self._tell(f"{_TMS}/condor-rm/taskforces/{quote(uuid, safe='')}/failed", {"error": reason})

    async def confirm_completion(self, uuid: str, ended_at: float) -> None:
        """See `Service.confirm_completion`."""
        await self._tell(f"{_TMS}/condor-complete/taskforces/{quote(uuid, safe='')}", {"condor_complete_ts": int(ended_at)})

    async def tell_standings(self, standings: Sequence[Standing]) -> None:
        """See `Service.tell_standings`."""
        body = {
            "compound_statuses_by_taskforce": {one.taskforce_uuid: one.compound_statuses for one in standings},
            "top_task_errors_by_taskforce": {
                one.taskforce_uuid: one.top_task_errors for one in standings if one.top_task_errors
            },
        }
        await self._tell(f"{_TMS}/statuses/taskforces", {name: part for name, part in body.items() if part})

    async def report(self, report: ClusterReport) -> None:
        """See `Service.report`."""
        await self._tell(f"/api/tms/{self._cluster}/report", report.model_dump(mode="json"))

    async def _tell(self, path: str, body: Mapping[str, Any]) -> None:
        await self._send("POST", path, json=body)

    async def _send(self, method: str, path: str, **request: Any) -> bytes:
        with self._translated():
            answer = await self._http.request(method, path, headers=self._headers(), **request)
            self._check(answer)
            return answer.content

    def _headers(self) -> dict[str, str]:
        token = self._token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _check(self, answer: httpx2.Response) -> None:
        if answer.is_success:
            return
        code, said = answer.status_code, _error(answer)
        match code:
            case HTTPStatus.NOT_FOUND:
                raise NotFound(said)
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                raise Forbidden(f"{self._url} does not accept the token ({said}); get one with the role tms")
            case _ if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _TRY_AGAIN:
                raise ServiceUnavailable(f"{self._url} answers {code}: {said}; tried again")
        raise ServiceRefused(f"{self._url} answers {code} to {answer.request.method} {answer.request.url.path}: {said}")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise ServiceUnavailable(f"no service answers at {self._url}: {reason}; tried again") from error


def _parsed(kind: type[M], answer: bytes) -> M:
    """`ServiceRefused` naming the key that is wrong, without its value, which may be a secret."""
    try:
        return kind.model_validate_json(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ServiceRefused(
            f"the service sent a {kind.__name__} that is not understood: {place}: {first['msg']}; "
            "use one version of ewms for both"
        ) from None


def _error(answer: httpx2.Response) -> str:
    """What the service said in one line, by EWMS's `{"code": …, "error": …}`."""
    with contextlib.suppress(msgspec.MsgspecError):
        body = msgspec.json.decode(answer.content)
        if isinstance(body, dict) and "error" in body:
            return str(body["error"])
    return answer.reason_phrase or "no reason"
