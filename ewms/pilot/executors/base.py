"""The executor contract: how a slot runs the events of a message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from ewms.core.spec import TaskSpec
from ewms.pilot.once import Once
from ewms.pilot.spare import Spare
from ewms.pilot.worker.frames import RawChunk

if TYPE_CHECKING:
    from ewms.pilot.holding import Holding

Report = Callable[[RawChunk], None]
"""Takes outcomes of the next `chunk.done` events of `Holding.todo`, and takes these out of it."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What all executors of a pilot are told."""

    tasks: tuple[TaskSpec, ...]
    """What the pilot can do."""
    search_path: tuple[str, ...]
    """Folders in which consumers are importable."""
    working_directory: str
    """Where commands run; empty means their scratch folder."""
    room: int
    """Bytes that one report can hold."""
    blob_url: str
    """Where large outputs go; empty means nowhere."""
    blob_threshold: int
    """Bytes above which they do."""
    data_hub: str
    """Folder that all tasks share."""
    scratch: str
    """Folder for temporary files."""
    spare: Spare | None = None
    """A worker process that is there already."""
    once: Once = msgspec.field(default_factory=Once)
    """What all slots share."""

    @property
    def output_limit(self) -> int | None:
        """Bytes that an output may have; None where large ones go by reference."""
        return None if self.blob_url else self.room


class Executor(ABC):
    """Runs one message at a time. A slot has one of each kind that its tasks need."""

    @abstractmethod
    async def start(self, task: TaskSpec) -> None:
        """Get ready for a task, so that its first event does not wait."""

    @abstractmethod
    async def run(self, task: TaskSpec, holding: Holding, report: Report) -> None:
        """Work until `holding.todo` is empty.

        Whatever a task does, it ends as a result or a failure in a reported chunk. When cancelled, everything that was
        started for the task is killed before the call ends.

        Raises
        ------
        ConsumerError
            The task cannot be run here at all, which is no event's fault.
        """

    @abstractmethod
    async def close(self) -> None:
        """End what is kept warm. Idempotent."""
