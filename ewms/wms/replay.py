"""Bringing dead letters back to life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ewms.core.errors import InputError
from ewms.core.lifecycle import Life, Phase, Verdict, on_replay
from ewms.stores.base import Batch, Journal, Terminal
from ewms.wms.counters import Counters
from ewms.wms.hosting import NO_OUTPUTS, decode_outputs
from ewms.wms.routing import Router


def selected(journal: Journal, tasks: Sequence[str], task: str | None, event_ids: Iterable[str]) -> Iterator[Terminal]:
    """The dead letters of one task or all, with these ids or any.

    Parameters
    ----------
    tasks
        Names, in the order of the graph.

    Raises
    ------
    InputError
        There is no such task, or no such letter; the latter when all others were given.
    """
    if task is not None and task not in tasks:
        raise InputError(f"there is no task '{task}'; tasks: {', '.join(tasks)}")
    wanted = set(event_ids)
    missing = set(wanted)
    for terminal in journal.letters():
        if (not wanted or terminal.event.id in wanted) and task in {None, tasks[terminal.event.task]}:
            missing.discard(terminal.event.id)
            yield terminal
    if missing:
        raise InputError(f"there is no dead letter '{sorted(missing)[0]}'; `ewms dead-letters list` shows them")


def replay(journal: Journal, router: Router, letters: Iterable[Terminal], values: Mapping[str, Any] | None = None) -> int:
    """Re-open a workflow for these dead letters; how many there were. Named values are written in the same transaction.

    One with a late result is accepted at once, unrun, and its children are planned; the others are planned as a new attempt.
    """
    batch = Batch()
    counters = Counters.from_dict(journal.value("counters", {}))
    last_seq, order = journal.positions()
    for letter in letters:
        seq = letter.event.seq
        life = journal.life(seq) or Life()
        life.phase, life.late_result = Phase.BURIED, letter.outputs is not None
        counters.dead_lettered -= 1
        if on_replay(life) is Verdict.ACCEPT:
            order += 1
            counters.accepted += 1
            batch.redeemed.append((seq, order))
            for child in router.children(letter.event, decode_outputs(letter.outputs or NO_OUTPUTS)):
                last_seq += 1
                batch.events.append(child.numbered(last_seq))
        else:
            batch.revived.append(seq)
            batch.lives.append((seq, life))
    count = len(batch.redeemed) + len(batch.revived)
    if count:
        batch.values = {"counters": counters.as_dict(), "state": "interrupted", **(values or {})}
        journal.commit(batch)
    return count
