"""Taskforces as a test wants them, and the pilots that run for them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order, TaskforceDocument, WorkerSpec
from ewms.tms.backends._pilot_process import is_pilot
from ewms.tms.backends.local import mark_of
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.reap import marked


def taskforce(uuid: str, workers: int = 1, **fields: Any) -> TaskforceDocument:
    """One that is to be submitted."""
    base: dict[str, Any] = {
        "taskforce_uuid": uuid,
        "task_id": "TD-1",
        "workflow_id": "WF-test",
        "timestamp": 0.0,
        "priority": 0,
        "cluster": "here",
        "n_workers": None,
        "workers": workers,
        "worker": WorkerSpec(),
        "phase": Phase.PENDING_STARTER,
    }
    return TaskforceDocument(**(base | fields))


def order(uuid: str, workers: int = 1, **fields: Any) -> Order:
    """The order to make it so."""
    return Order(taskforce=taskforce(uuid, workers, **fields), version=1)


def pilots(folder: ClusterFolder, uuid: str = "") -> set[int]:
    """Process ids of the pilots of a taskforce, or of all."""
    mark = f"{mark_of(folder)}/{uuid}" if uuid else mark_of(folder)
    return {pid for pid, _ in marked(mark) if is_pilot(pid)}


def minds_signals(pid: int) -> bool:
    """Whether a pilot is so far that it drains on SIGTERM instead of dying of it."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def known_of(pid: int) -> bytes:
    """The environment and the command line of a process."""
    return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
