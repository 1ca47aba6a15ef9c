"""What the pilots of a workflow are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ewms.brokers.base import Capabilities
from ewms.core.config import PilotConfig
from ewms.core.errors import SpecError
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import TaskSpec
from ewms.wms.driver import Queues

_SAFE_PART = 0.9
"""Of the time for which a message may be held."""
_BLOB_THRESHOLD = 512 << 10


def blob_threshold(max_message_bytes: int) -> int:
    """Bytes above which a body goes by reference."""
    return min(_BLOB_THRESHOLD, max_message_bytes // 2)


def blobs_of(blobs: str, workflow_id: str) -> str:
    """Where a workflow's large bodies go, below the service's place for them; empty where there is none."""
    return f"{blobs.rstrip('/')}/{workflow_id}" if blobs else ""


def timely(tasks: Sequence[TaskSpec], limit: float | None, shown: str) -> tuple[TaskSpec, ...]:
    """The tasks as they can be run where a message is taken from its pilot after so many seconds.

    A task without a timeout gets one just below the limit, so that an event which takes longer has a reason for its failure.

    Parameters
    ----------
    limit
        Seconds, or None for any time.
    shown
        The broker's address without credentials.

    Raises
    ------
    SpecError
        A task's timeout is not below the limit.
    """
    if limit is None:
        return tuple(tasks)
    for task in tasks:
        if task.timeout is not None and task.timeout >= limit:
            raise SpecError(
                f"task {task.name} has a timeout of {task.timeout:g} s, but {shown} lets a message be held for {limit:g} s "
                "only; lower the timeout, or raise the server's consumer_timeout and tell it with ?consumer_timeout=SECONDS"
            )
    return tuple(task.model_copy(update={"timeout": task.timeout or _SAFE_PART * limit}) for task in tasks)


def pilot_config(
    document: WorkflowDocument, *, broker_url: str, capabilities: Capabilities, lease: float, blobs: str = ""
) -> PilotConfig:
    """The configuration of a workflow's pilots, before its files have their places on a slot.

    Parameters
    ----------
    document
        Of an active workflow, whose spec names its tasks.
    broker_url
        By which pilots reach the broker, with credentials of their own.
    capabilities
        Of that broker.
    lease
        Seconds, as its driver has it.
    blobs
        Where the service's large bodies go, if the pilots can reach it. Without one, an output above the broker's limit
        fails its event.

    Raises
    ------
    SpecError
        A task takes longer than the broker lets a message be held.
    """
    queues = Queues.of(document.workflow_id)
    return PilotConfig(
        workflow_id=document.workflow_id,
        broker_url=broker_url,
        work_queue=queues.work,
        report_queue=queues.reports,
        heartbeat_topic=queues.heartbeats,
        command_topic=queues.commands,
        tasks=timely(document.spec.tasks, capabilities.max_lease_seconds, "the broker"),
        lease=lease,
        blob_url=blobs_of(blobs, document.workflow_id),
        blob_threshold=blob_threshold(capabilities.max_message_bytes) if blobs else 0,
    )
