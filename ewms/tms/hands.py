"""Carries out what `reconcile` decided: each action talks to the backend first, then to the service."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping

from ewms.core.config import PilotConfig
from ewms.core.errors import EwmsError, InputError
from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order
from ewms.tms.backend import Backend, BackendRefused, BackendUnavailable, Batch, Submitted
from ewms.tms.reconcile import STOPPED, Action, Adopt, Confirm, Refresh, Remove, Resize, Stop, Submit
from ewms.tms.service import Service
from ewms.tms.uploads import Uploads
from ewms.tms.wanted import Wanted

_log = logging.getLogger("ewms.tms")

BACKEND_SECONDS = 120.0
"""For one answer of a backend; after that it counts as not answering."""


class Hands:
    """Does one thing at a time for a taskforce; the caller sees to that.

    Parameters
    ----------
    wanted
        Learns what was confirmed.
    ended
        When nothing was left of a taskforce, by the backend's word, in seconds since 1970.
    """

    def __init__(
        self, backend: Backend, service: Service, uploads: Uploads, wanted: Wanted, ended: Mapping[str, float]
    ) -> None:
        self._backend = backend
        self._service = service
        self._uploads = uploads
        self._wanted = wanted
        self._ended = ended

    async def survey(self) -> list[Batch]:
        """See `Backend.survey`."""
        async with _answering():
            return await self._backend.survey()

    async def carry_out(self, action: Action) -> None:
        """Carry out an action.

        Raises
        ------
        BackendUnavailable, ServiceUnavailable, NotFound
            It may or may not have happened: look again.
        BackendRefused, InputError
            It can never work; the service was told.
        """
        uuid = action.taskforce_uuid
        match action:
            case Submit(order):
                await self._submit(order)
            case Adopt(batch):
                await self._confirm_submit(uuid, await self._recall(batch))
                _log.info("taskforce_adopted", extra={"taskforce": uuid, "cluster_id": batch.cluster_id})
            case Resize(batch, workers):
                async with _answering():
                    await self._backend.resize(batch, workers)
                _log.info("taskforce_resized", extra={"taskforce": uuid, "workers": workers, "before": batch.workers})
            case Refresh(batch, sites):
                config = await self._service.pilot(uuid)
                async with _answering():
                    await self._backend.refresh(batch, config)
                    await self._backend.exclude(batch, sites)
            case Stop(batch):
                await self._stop(batch)
            case Remove(batch, reason):
                await self._remove(batch, reason)
            case Confirm(_, phase):
                await self._confirm(uuid, phase)

    async def _submit(self, order: Order) -> None:
        taskforce = order.taskforce
        uuid = taskforce.taskforce_uuid
        try:
            config = _tailored(await self._service.pilot(uuid), order)
            files = await self._uploads.fetch(taskforce.workflow_id, taskforce.pilot.files)
            async with _answering():
                submitted = await self._backend.submit(order, config, files)
        except (BackendRefused, InputError) as error:
            await self._service.report_submit_failure(uuid, str(error))
            raise
        except EwmsError:
            raise
        except Exception as error:  # a fault of this program must not leave the owner waiting without a word
            await self._service.report_submit_failure(uuid, f"the TMS failed: {error!r}; see its log")
            raise
        _log.info("taskforce_submitted", extra={"taskforce": uuid, "cluster_id": submitted.cluster_id})
        await self._confirm_submit(uuid, submitted)

    async def _recall(self, batch: Batch) -> Submitted:
        async with _answering():
            return await self._backend.recall(batch)

    async def _confirm_submit(self, uuid: str, submitted: Submitted) -> None:
        await self._service.confirm_submit(uuid, submitted)
        self._wanted.confirm(uuid, Phase.CONDOR_SUBMIT)

    async def _stop(self, batch: Batch) -> None:
        uuid = batch.taskforce_uuid
        try:
            await self._remove(batch, STOPPED)
        except BackendRefused as error:
            await self._service.report_removal_failure(uuid, str(error))
            raise
        await self._confirm(uuid, Phase.CONDOR_RM)

    async def _remove(self, batch: Batch, reason: str) -> None:
        async with _answering():
            await self._backend.remove(batch, reason)
        _log.info(
            "taskforce_removed",
            extra={"taskforce": batch.taskforce_uuid, "cluster_id": batch.cluster_id, "reason": reason},
        )

    async def _confirm(self, uuid: str, phase: Phase) -> None:
        if phase is Phase.CONDOR_RM:
            await self._service.confirm_removal(uuid)
        else:
            await self._service.confirm_completion(uuid, self._ended.get(uuid, time.time()))
        self._wanted.confirm(uuid, phase)


def _tailored(config: PilotConfig, order: Order) -> PilotConfig:
    """The configuration with the time that the backend gives a worker."""
    wall_time = config.wall_time or order.taskforce.worker.max_runtime
    return config.model_copy(update={"wall_time": wall_time})


@contextlib.asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """A call of the backend; one that takes too long is no answer."""
    try:
        async with asyncio.timeout(BACKEND_SECONDS):
            yield
    except TimeoutError as error:
        raise BackendUnavailable(f"the backend did not answer within {BACKEND_SECONDS:g} s") from error
