"""A journal's whole content as batches, which another journal of whatever kind may commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from ewms.stores.base import Accepted, Batch, Buried, Journal, Terminal

_AT_ONCE = 200
"""Events, attempts or messages in one batch."""
ItemT = TypeVar("ItemT")


def batches(journal: Journal) -> Iterator[Batch]:
    """Batches that make an empty journal the same as this one, but for its epoch, if they are committed in their order.

    Nobody may write to the journal meanwhile.
    """
    yield Batch(values={name: value for name, value in journal.values().items() if name != "epoch"})
    yield from _unfinished(journal)
    yield from _terminal(journal)
    for attempts in _chunks(journal.attempts()):
        found = [(journal.find(task, name) or journal.find_pending(task, name), attempt) for task, name, attempt in attempts]
        yield Batch(attempts=[(event.event.seq, attempt) for event, attempt in found if event is not None])
    for messages in _chunks(journal.sent_messages()):
        yield Batch(sent=messages)


def _unfinished(journal: Journal) -> Iterator[Batch]:
    after = 0
    while page := journal.pending(after, _AT_ONCE):
        after = page[-1].event.seq
        lives = [(pending.event.seq, pending.life) for pending in page if pending.life is not None]
        yield Batch(events=[pending.event for pending in page], lives=lives)


def _terminal(journal: Journal) -> Iterator[Batch]:
    batch = Batch()
    for terminal in journal.terminals():
        seq = terminal.event.seq
        batch.events.append(terminal.event)
        _end(batch, seq, terminal)
        if (life := journal.life(seq)) is not None:
            batch.lives.append((seq, life))
        if len(batch.events) == _AT_ONCE:
            yield batch
            batch = Batch()
    yield batch


def _end(batch: Batch, seq: int, terminal: Terminal) -> None:
    if terminal.reason is not None:
        batch.buried.append(Buried(seq, terminal.order, terminal.reason))
        if terminal.outputs is not None:
            batch.late.append((seq, terminal.outputs, terminal.many))
    elif terminal.outputs is not None:
        batch.accepted.append(Accepted(seq, terminal.order, terminal.outputs, terminal.many))


def _chunks(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    iterator = iter(items)
    while chunk := [*islice(iterator, _AT_ONCE)]:
        yield chunk
