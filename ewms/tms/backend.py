"""The contract of a backend under a TMS: many taskforces at one cluster. `Launcher` is its counterpart for one local run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

import msgspec
from pydantic import BaseModel

from ewms.core.config import PilotConfig
from ewms.core.errors import EwmsError
from ewms.core.service.taskforce import Order
from ewms.tms.folder import ClusterFolder


class Batch(NamedTuple):
    """What a backend has of one taskforce."""

    taskforce_uuid: str
    """As it was submitted with: the only link that survives a crash between submitting and recording."""
    cluster_id: int
    """The backend's number."""
    workers: int
    """Workers that it is to have now: idle, running or held, without those that were told to end."""


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a submission."""

    cluster_id: int
    """The backend's number."""
    workers: int
    """Workers submitted."""
    submit_dict: dict[str, str | int]
    """What was submitted, without secrets."""
    event_log: str
    """Where its fate can be read."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the workers of one taskforce fare, whenever that changes."""

    taskforce_uuid: str
    """Which."""
    compound_statuses: dict[str, dict[str, int]]
    """Workers by job status (HELD with its reason in words) and pilot status; see `ewms.tms.statuses`."""
    top_task_errors: dict[str, int]
    """Workers by last error, ten at most."""
    ended_at: float | None = None
    """The backend's own time at which nothing was left of it, seconds since 1970; None before."""
    site_losses: dict[str, int] = {}
    """Workers lost since the last word, by site."""
    site_successes: dict[str, int] = {}
    """Workers that ended well since the last word, by site."""


class BackendUnavailable(EwmsError):
    """The backend does not answer for now; only a delay."""


class NotYet(BackendUnavailable):
    """The backend answers, but what it was asked for one taskforce is not done yet; others do not wait."""


class BackendRefused(EwmsError):
    """The backend does not take this taskforce; correct what the reason names."""


class Backend(ABC):
    """One cluster; an asynchronous context manager. Every method raises `BackendUnavailable` while nobody answers.

    Methods for different taskforces are called at the same time, those for one taskforce never.

    Parameters
    ----------
    settings
        An instance of `Settings`.
    folder
        Locked for this TMS.
    owner
        Marks this TMS's batches, so that they are told from those of another; the same after each restart.
    """

    Settings: ClassVar[type[BaseModel]]
    """What the owner of a cluster may set in its table of the configuration file, beside `backend` and `max_workers`."""

    @abstractmethod
    def __init__(self, settings: Any, folder: ClusterFolder, owner: str) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @abstractmethod
    async def survey(self) -> list[Batch]:
        """All batches of this TMS that the backend has, recorded or not; a submission that was answered is among them."""

    @abstractmethod
    async def submit(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> Submitted:
        """Submit a taskforce; `BackendRefused` if that can never work.

        `BackendUnavailable` leaves open whether it was submitted: the caller surveys before it tries again.

        Parameters
        ----------
        config
            For its pilots; holds credentials, which go by a file for the owner only.
        files
            The workflow's uploads by name (`code/…`, `context/…`), as they lie here; all are carried to the slot.
        """

    @abstractmethod
    async def recall(self, batch: Batch) -> Submitted:
        """What a batch was submitted as, by a process that may have died before it could tell anybody."""

    @abstractmethod
    async def refresh(self, batch: Batch, config: PilotConfig) -> None:
        """Give pilots that start from now on this configuration: its credentials are fresh."""

    @abstractmethod
    async def resize(self, batch: Batch, workers: int) -> None:
        """Have that many workers: grow by starting, shrink by draining. Idempotent; the backend replaces lost ones."""

    @abstractmethod
    async def exclude(self, batch: Batch, sites: Sequence[str]) -> None:
        """Start workers anywhere but at these sites from now on. Idempotent."""

    @abstractmethod
    async def remove(self, batch: Batch, reason: str) -> None:
        """Drain and remove a batch, within seconds; nothing of it is left at the backend. Idempotent."""

    @abstractmethod
    def standings(self) -> AsyncIterator[Standing]:
        """What happens to taskforces, from where the last call stopped, also across restarts. Never ends by itself."""

    @abstractmethod
    async def close(self) -> None:
        """Let go; workers stay, except where they cannot outlive this process."""
