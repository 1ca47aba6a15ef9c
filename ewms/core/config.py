"""What a pilot is told: everything it needs to work on a workflow's tasks, as one document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ewms.core.spec import TaskSpec


class ContextFile(BaseModel):
    """A file that every pilot gets once, at its start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """What tasks call it."""
    path: str
    """Where it lies, as the pilot sees it."""
    sha256: str
    """Of its content, in hexadecimal digits."""


class PilotConfig(BaseModel):
    """A pilot's configuration, written by a launcher and read by `python -m ewms.pilot`. The file is for its owner only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow_id: str
    """The workflow it works for."""
    broker_url: str
    """Where the queues are; may hold credentials."""
    work_queue: str
    """Name of the queue that it leases from."""
    report_queue: str
    """Name of the queue that it reports to."""
    heartbeat_topic: str
    """Topic of its signs of life, where the driver listens."""
    command_topic: str
    """Topic of the driver's words, where all pilots listen."""
    tasks: tuple[TaskSpec, ...] = Field(min_length=1)
    """The tasks that it can do."""
    slots: int = 1
    """Events worked on at once, each in a process of its own."""
    lease: float = 60.0
    """Seconds after which the loss of a pilot is noticed; renewed at a third."""
    heartbeat: float = 5.0
    """Seconds between signs of life."""
    grace: float = 10.0
    """Seconds to finish what it holds after SIGTERM."""
    wall_time: float | None = None
    """Seconds after which it will be ended from outside; it drains before."""
    search_path: tuple[str, ...] = ()
    """Folders in which consumers are importable."""
    working_directory: str = ""
    """Where commands with relative paths run; empty means a scratch folder."""
    scratch: str = ""
    """Folder for temporary files; empty means HTCondor's for the job, else the system's."""
    blob_url: str = ""
    """Where large bodies go by reference; empty means nowhere."""
    blob_threshold: int = 0
    """Bytes above which they do."""
    context: tuple[ContextFile, ...] = ()
    """Files of the data hub."""
    broker_patience: float = 300.0
    """Seconds without a broker after which the pilot ends cleanly."""
    parent: int | None = None
    """Process whose death ends the pilot, for local pilots; None where it stands alone."""
