"""Dead letters, as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pydantic_core

from ewms.core import codecs
from ewms.core.event import DeadLetter
from ewms.stores.base import Journal
from ewms.wms.hosting import dead_letter


def letters(journal: Journal, names: Sequence[str]) -> Iterator[DeadLetter]:
    """All dead letters, with their histories, in event order; `names` are the tasks'. Lazy."""
    for terminal in journal.letters():
        event = terminal.event
        yield dead_letter(event, names[event.task], terminal.reason or "", journal.history(event.seq))


def letter_json(letter: DeadLetter) -> bytes:
    """A dead letter as JSON; bytes in its body are base64."""
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__} | {
        "body": jsonable(letter.body),
        "history": [{name: getattr(attempt, name) for name in attempt.__struct_fields__} for attempt in letter.history],
    }
    return pydantic_core.to_json(fields, inf_nan_mode="constants", bytes_mode="base64")


def jsonable(value: Any) -> Any:
    """A body as JSON can hold it: an array as a list."""
    return value.tolist() if codecs.is_ndarray(value) else value
