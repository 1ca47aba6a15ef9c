"""Bringing dead letters back to life."""

from __future__ import annotations

from collections.abc import Iterable

from ewms.core.lifecycle import Life, Phase, Verdict, on_replay
from ewms.stores.base import Batch, Journal, Terminal
from ewms.wms.counters import Counters
from ewms.wms.hosting import NO_OUTPUTS, decode_outputs
from ewms.wms.routing import Router


def replay(journal: Journal, router: Router, letters: Iterable[Terminal]) -> int:
    """Re-open a workflow for these dead letters; how many there were.

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
        batch.values = {"counters": counters.as_dict(), "state": "interrupted"}
        journal.commit(batch)
    return count
