"""Submissions under a key that the client chose: a repeat gives what the first one gave."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from ewms.core.errors import Conflict
from ewms.core.service.new_workflow import NewWorkflow
from ewms.stores.collections import REPEATS
from ewms.stores.store import Insert, Store


class Repeat(BaseModel):
    """What came of a submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    """Who submitted."""
    digest: str
    """Of what was submitted."""
    workflow_id: str
    """What came of it."""
    timestamp: float
    """When, seconds since 1970."""


def digest_of(request: NewWorkflow) -> str:
    """By which two requests are told apart."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()


def insertion(key: str, repeat: Repeat) -> Insert:
    """What remembers a submission; it conflicts with a former one of the same owner under the same key."""
    return Insert(collection=REPEATS, key=_key(repeat.owner, key), body=repeat.model_dump(mode="json"))


async def first(store: Store, owner: str, key: str, request: NewWorkflow) -> str | None:
    """The workflow that was submitted under this key; None if none was.

    Raises `Conflict` where it was used for something else.
    """
    stored = await store.get(REPEATS, _key(owner, key))
    if stored is None:
        return None
    repeat = Repeat.model_validate(stored.body)
    if repeat.digest != digest_of(request):
        raise Conflict(f"the Idempotency-Key {key} was used for another submission ({repeat.workflow_id}); take a new one")
    return repeat.workflow_id


def _key(owner: str, key: str) -> str:
    return hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
