"""The collections of a service's store, with the dotted keys that are searched: each has an index in every store."""

from __future__ import annotations

WORKFLOWS = "workflows"
"""One document per workflow; see `ewms.core.service.workflow`."""
TASK_DIRECTIVES = "task_directives"
"""One per task of a workflow; immutable."""
TASKFORCES = "taskforces"
"""One per batch of pilots; see `ewms.core.service.taskforce`."""
QUEUES = "queues"
"""One per public queue: EWMS's mq-profiles."""
FILES = "files"
"""One per uploaded or produced file: name, size, sha256 and where its content lies."""
TOKENS = "tokens"
"""One per token that the service minted: its hash, owner and role, never the token."""
SITES = "sites"
"""One per execution site: its score and when its exclusion ends."""
HOSTS = "hosts"
"""One per driver host or TMS: its name and the count of its heartbeats."""
UPLOADS = "uploads"
"""One per content that an owner has uploaded: whoever knows no more than its sha256 has no right to it."""
DELIVERIES = "deliveries"
"""One per call of a webhook that is still to be made."""
REPEATS = "repeats"
"""One per submission under a key that its client chose, so that a repeat makes no second workflow."""

INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    WORKFLOWS: (("timestamp",), ("priority",), ("owner", "timestamp"), ("state", "timestamp"), ("driver.host",)),
    TASK_DIRECTIVES: (("workflow_id",), ("timestamp",)),
    TASKFORCES: (
        ("workflow_id",),
        ("task_id",),
        ("cluster_id",),
        ("phase", "timestamp"),
        ("timestamp",),
        ("priority",),
        ("cluster", "phase"),
        ("schedd", "phase"),
        ("job_event_log_fpath",),
    ),
    QUEUES: (("workflow_id",),),
    FILES: (("workflow_id",), ("sha256",)),
    TOKENS: (("owner",),),
    SITES: (("cluster",),),
    HOSTS: (("role",),),
    UPLOADS: (("owner",), ("sha256",)),
    DELIVERIES: (("due",), ("workflow_id",)),
    REPEATS: (("timestamp",),),
}
"""Keys that are indexed together, by collection."""
