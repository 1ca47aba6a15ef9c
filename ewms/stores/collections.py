"""The collections of a service's store, with the dotted keys that are searched: each has an index in every store."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ewms.core.errors import InputError

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

Indexes = tuple[tuple[str, ...], ...]
"""Keys that are indexed together, of one collection."""

BESIDE = frozenset(
    {
        "logs",
        "log_ends",
        "counters",
        "forgotten",
        "journals",
        "journal_events",
        "journal_attempts",
        "journal_messages",
        "schema",
    }
)
"""Names that a store uses for what is no collection of documents."""
_is_name = re.compile(r"[a-z][a-z0-9_-]{0,79}", re.ASCII).fullmatch

INDEXES: dict[str, Indexes] = {
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
"""Keys that are indexed together, by collection; those of plugins are added by `make_known`."""
_OWN = frozenset(INDEXES)


def make_known(collections: Mapping[str, Indexes]) -> None:
    """Let this process use collections of plugins; to be called before a store is opened. A repeat changes nothing.

    Raises
    ------
    InputError
        A name is taken or no plain word.
    """
    for name, indexes in collections.items():
        if not _is_name(name) or name in BESIDE | _OWN or INDEXES.get(name, indexes) != indexes:
            raise InputError(
                f"collection {name!r:.100}: its name is taken or no plain word; its plugin must name it otherwise"
            )
        INDEXES[name] = indexes
