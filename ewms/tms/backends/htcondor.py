"""HTCondor as a backend: one cluster per taskforce, whose workers the schedd itself starts and replaces.

The cluster is a job factory (late materialization): it has as many jobs in the queue as the taskforce is to have workers,
and makes a new one when one leaves. So a worker that is lost is replaced while no TMS runs, and a cluster of a hundred
thousand costs the schedd no more than its living jobs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec

from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import Order
from ewms.tms.backend import Backend, BackendUnavailable, Batch, NotYet, Standing, Submitted
from ewms.tms.backends._htcondor_classad import quoted
from ewms.tms.backends._htcondor_folder import TaskforceFolder
from ewms.tms.backends._htcondor_policy import KILL_MARGIN
from ewms.tms.backends._htcondor_pool import Cluster, Job, Pool
from ewms.tms.backends._htcondor_settings import BundlePilot, HtcondorSettings, ImagePilot, PythonPilot
from ewms.tms.backends._htcondor_submission import EXCLUDED, SERVICE, TASKFORCE, WORKERS, describe, job_count, shown
from ewms.tms.backends._htcondor_watch import Watch, log_of
from ewms.tms.folder import ClusterFolder

__all__ = ["BundlePilot", "HtcondorBackend", "HtcondorSettings", "ImagePilot", "PythonPilot"]

logger = logging.getLogger("ewms.tms.htcondor")

_MARKS = (TASKFORCE, WORKERS)
_LIMIT, _PAUSED = "JobMaterializeLimit", "JobMaterializePaused"
_LEAVE_SECONDS = 1.5
_LOOK_SECONDS = 0.1
_MAX_LOOK_SECONDS = 1.0


class HtcondorBackend(Backend):
    """Taskforces at one access point.

    Parameters
    ----------
    folder
        Where configurations, event logs and output of pilots go; the schedd reads and writes there.
    owner
        Marks clusters as this TMS's own, by the attribute `EWMSService`.
    """

    Settings: ClassVar = HtcondorSettings

    def __init__(self, settings: HtcondorSettings, folder: ClusterFolder, owner: str) -> None:
        self._settings = settings
        self._folder = folder
        self._owner = owner
        self._ours = f"{SERVICE} =?= {quoted(owner)}"
        self._pool = Pool(settings.config, settings.schedd)
        self._watch = Watch(folder.events)

    async def survey(self) -> list[Batch]:
        """See `Backend.survey`. A cluster that a person holds as a whole goes on when none of its workers is held."""
        clusters = await self._pool.clusters(self._ours, _MARKS)
        batches = [_batch(cluster) for cluster in clusters]
        for cluster, batch in zip(clusters, batches, strict=True):
            if cluster.is_paused and batch.workers:
                await self._resume(batch)
        return batches

    async def submit(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> Submitted:
        """See `Backend.submit`. What was submitted before is not submitted again."""
        taskforce = order.taskforce
        uuid = taskforce.taskforce_uuid
        for cluster in await self._pool.clusters(f"{self._ours} && {TASKFORCE} =?= {quoted(uuid)}", _MARKS):
            if cluster.is_removed:
                raise NotYet(f"cluster {cluster.number} of {uuid} has not ended yet")
            return await self.recall(_batch(cluster))
        await self._pool.check_expression(taskforce.worker.requirements)
        folder, log = self._taskforce(uuid), str(log_of(self._folder.events, uuid))
        description = describe(
            order, self._settings, owner=self._owner, folder=str(folder.path), log=log, grace=config.grace
        )
        submitted = Submitted(cluster_id=0, workers=taskforce.workers, submit_dict=shown(description), event_log=log)
        await asyncio.to_thread(folder.lay_out, taskforce, config, files, submitted)
        number = await self._pool.submit(description, job_count(order))
        logger.info("taskforce_submitted taskforce=%s cluster=%d workers=%d", uuid, number, taskforce.workers)
        return msgspec.structs.replace(submitted, cluster_id=number)

    async def recall(self, batch: Batch) -> Submitted:
        """See `Backend.recall`."""
        uuid = batch.taskforce_uuid
        submitted = await asyncio.to_thread(self._taskforce(uuid).recall)
        if submitted is None:
            log = str(log_of(self._folder.events, uuid))
            submitted = Submitted(cluster_id=0, workers=batch.workers, submit_dict={}, event_log=log)
        return msgspec.structs.replace(submitted, cluster_id=batch.cluster_id)

    async def refresh(self, batch: Batch, config: PilotConfig) -> None:
        """See `Backend.refresh`. The schedd sends the file as it is at the moment when a pilot starts."""
        await asyncio.to_thread(self._taskforce(batch.taskforce_uuid).refresh, config)

    async def resize(self, batch: Batch, workers: int) -> None:
        """See `Backend.resize`. Workers that wait go first, then those that started last: they have the least to lose."""
        for cluster in await self._pool.clusters(f"ClusterId == {batch.cluster_id}", ()):
            if cluster.is_removed:
                return
        await self._pool.edit(batch.cluster_id, _keeping(workers))
        jobs = [job for job in await self._pool.jobs(batch.cluster_id) if not job.is_ending]
        surplus = _least_useful(jobs, len(jobs) - workers)
        if surplus:
            await self._pool.remove(batch.cluster_id, f"ewms: {workers} workers are enough for now", surplus)
        logger.info("taskforce_resized taskforce=%s workers=%d removed=%d", batch.taskforce_uuid, workers, len(surplus))

    async def exclude(self, batch: Batch, sites: Sequence[str]) -> None:
        """Let workers start at any site but these; those that run stay where they are."""
        await self._pool.edit(batch.cluster_id, [(EXCLUDED, quoted(",".join(sites)))])

    async def remove(self, batch: Batch, reason: str) -> None:
        """See `Backend.remove`. Waits as long as pilots may drain; `NotYet` where HTCondor takes longer."""
        number = batch.cluster_id
        await self._pool.edit(number, _keeping(0))
        waiting = [job.proc for job in await self._pool.jobs(number) if not job.is_running]
        if waiting:
            await self._pool.remove(number, reason, waiting)
        # Only what a pilot that ends by itself has printed comes back: those that know that no more work comes are leaving.
        await _gone(partial(self._pool.jobs, number), _LEAVE_SECONDS)
        await self._pool.remove(number, reason)
        grace = await asyncio.to_thread(self._taskforce(batch.taskforce_uuid).grace)
        if not await _gone(partial(self._pool.clusters, f"ClusterId == {number}", ()), grace + 2 * KILL_MARGIN):
            raise NotYet(f"cluster {number} is removed, but slots of it do not answer yet")
        logger.info("taskforce_removed taskforce=%s cluster=%d", batch.taskforce_uuid, number)

    async def standings(self) -> AsyncIterator[Standing]:
        """See `Backend.standings`."""
        try:
            async for standing in self._watch.standings():
                yield standing
        except OSError as error:
            raise BackendUnavailable(f"event logs cannot be followed: {error.strerror}: {error.filename}") from error

    async def close(self) -> None:
        """See `Backend.close`."""

    def _taskforce(self, uuid: str) -> TaskforceFolder:
        return TaskforceFolder(self._folder.taskforce(uuid))

    async def _resume(self, batch: Batch) -> None:
        if any(job.is_held for job in await self._pool.jobs(batch.cluster_id)):
            return
        await self._pool.edit(batch.cluster_id, _keeping(batch.workers))
        logger.warning("cluster_resumed taskforce=%s cluster=%d", batch.taskforce_uuid, batch.cluster_id)


def _batch(cluster: Cluster) -> Batch:
    return Batch(cluster.marks[TASKFORCE], cluster.number, cluster.marks[WORKERS])


async def _gone(look: Callable[[], Awaitable[Sequence[object]]], within: float) -> bool:
    """Whether nothing is seen any more after so many seconds at most."""
    deadline, pause = time.monotonic() + within, _LOOK_SECONDS
    while await look():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_LOOK_SECONDS)
    return True


def _keeping(workers: int) -> list[tuple[str, str]]:
    """Changes that make a factory keep so many jobs.

    The schedd looks at the limit only when a job leaves, or when a factory that was paused goes on: hence the pause.
    A limit of 0 would mean that there is none.
    """
    if workers == 0:
        return [(WORKERS, "0"), (_PAUSED, "1")]
    return [(WORKERS, str(workers)), (_LIMIT, str(workers)), (_PAUSED, "1"), (_PAUSED, "0")]


def _least_useful(jobs: Sequence[Job], count: int) -> list[int]:
    """Numbers of so many jobs that can be spared best."""
    return [job.proc for job in sorted(jobs, key=lambda job: (job.is_running, -job.proc))[: max(0, count)]]
