"""A task directive's document: one task of a workflow, as it was asked for; EWMS's `TaskDirectiveObject`, nearly."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TaskDirectiveDocument(BaseModel):
    """One task of a workflow; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str
    """`TK-…`."""
    workflow_id: str
    """Its workflow."""
    owner: str = ""
    """Whose that is."""
    tasks: tuple[str, ...]
    """Names of the spec's tasks that do it: one for each queue that it reads."""
    cluster_locations: tuple[str, ...]
    """Clusters that it was asked to run at, as they were named."""
    task_image: str = ""
    """The image that is run for each event; empty where the task is no container."""
    task_args: str = ""
    """The image's arguments, in one line."""
    task_env: dict[str, str] = {}
    """The task's environment."""
    init_image: str = ""
    """The image that is run once per pilot before; empty for none."""
    init_args: str = ""
    """Its arguments."""
    init_env: dict[str, str] = {}
    """Its environment."""
    timestamp: float
    """When it was made, seconds since 1970."""
    input_queues: tuple[str, ...]
    """Ids of the queues that it reads."""
    output_queues: tuple[str, ...]
    """Ids of the queues that it writes."""
