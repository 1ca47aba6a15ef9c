"""What the local backend remembers of a batch when its TMS dies."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from ewms.tms.backend import Batch, Submitted
from ewms.tms.folder import write_private

_FILE = "batch.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A batch on disk, beside the configuration of its pilots. Holds no secrets."""

    taskforce_uuid: str
    """Whose it is."""
    cluster_id: int
    """Its number."""
    workers: int
    """Pilots that it is to have."""
    priority: int = 0
    """Batches of higher priority get their pilots first."""
    max_runtime: int | None = None
    """Seconds after which a pilot is ended."""
    environment: dict[str, str] = {}
    """Further variables of its pilots."""
    is_forkable: bool = False
    """Its pilots bring nothing of their own that was to be there before Python started."""
    submit_dict: dict[str, str | int] = {}
    """As the service was told."""

    @property
    def batch(self) -> Batch:
        """As the TMS sees it."""
        return Batch(self.taskforce_uuid, self.cluster_id, self.workers)

    def submitted(self, folder: Path) -> Submitted:
        """What the service is told of it, whenever it is to be told."""
        return Submitted(
            cluster_id=self.cluster_id, workers=self.workers, submit_dict=self.submit_dict, event_log=str(folder)
        )

    def write(self, folder: Path) -> None:
        """Put it into the folder of its taskforce."""
        write_private(folder / _FILE, msgspec.json.encode(self))


def read_record(folder: Path) -> Record | None:
    """The record in a taskforce's folder; None if its batch is gone."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Record)
    return None


def forget_record(folder: Path) -> None:
    """Remove it: there is no batch any more. Idempotent."""
    (folder / _FILE).unlink(missing_ok=True)
