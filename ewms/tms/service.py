"""The service as a TMS sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ewms.core.config import PilotConfig
from ewms.core.errors import EwmsError
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Plan
from ewms.tms.backend import Standing, Submitted


class ServiceUnavailable(EwmsError):
    """The service does not answer; what runs goes on, and the TMS tries again."""


class ServiceRefused(EwmsError):
    """The service does not understand the TMS; use one version of ewms for both."""


class Service(Protocol):
    """What a TMS asks and tells.

    Every method raises `ServiceUnavailable` where nobody answers, `NotFound` where the service knows no such thing or a
    taskforce has moved on, `Forbidden` where it does not accept the token, and `ServiceRefused` for anything else.
    """

    async def plan(self, after: int | None) -> Plan:
        """The plan as soon as its revision is another one, or as it is after half a minute; at once for None."""
        ...

    async def pilot(self, uuid: str) -> PilotConfig:
        """What pilots of a taskforce are to be told, with fresh credentials."""
        ...

    def download(self, workflow_id: str, name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open an upload of a workflow."""
        ...

    async def confirm_submit(self, uuid: str, submitted: Submitted) -> None:
        """It is submitted."""
        ...

    async def report_submit_failure(self, uuid: str, reason: str) -> None:
        """It could not be submitted, for that reason."""
        ...

    async def confirm_removal(self, uuid: str) -> None:
        """It is removed."""
        ...

    async def report_removal_failure(self, uuid: str, reason: str) -> None:
        """It could not be removed, for that reason."""
        ...

    async def confirm_completion(self, uuid: str, ended_at: float) -> None:
        """Nothing of it is left at the backend, since that time, in seconds since 1970."""
        ...

    async def tell_standings(self, standings: Sequence[Standing]) -> None:
        """How workers fare. What it knows nothing of is left out."""
        ...

    async def report(self, report: ClusterReport) -> None:
        """How the cluster stands."""
        ...
