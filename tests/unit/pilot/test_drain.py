"""Which ending counts."""

from __future__ import annotations

import asyncio

import pytest

from ewms.pilot.drain import CANCELLED, NO_MORE_WORK, Drain, Ending, Exit

STOP = Ending(Exit.DRAINED, "told to stop", grace=5.0)
BROKEN = Ending(Exit.BROKEN, "cannot be imported", grace=5.0)


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ([STOP], STOP),
        ([STOP, BROKEN], STOP),
        ([NO_MORE_WORK, BROKEN], BROKEN),
        ([NO_MORE_WORK, STOP, CANCELLED], CANCELLED),
        ([CANCELLED, STOP], CANCELLED),
    ],
)
async def test_most_urgent_word_counts(words: list[Ending], counts: Ending) -> None:
    drain = Drain()
    for word in words:
        drain.begin(word)
    assert drain.ending is counts
    assert drain.begun.is_set()
    assert drain.over.is_set() == (counts.grace == 0)
    drain.close()


async def test_time_to_finish_ends() -> None:
    drain = Drain()
    drain.begin(Ending(Exit.DRAINED, "quickly", grace=0.01))
    async with asyncio.timeout(5):
        await drain.over.wait()


def test_no_ending_before_it_began() -> None:
    with pytest.raises(RuntimeError):
        _ = Drain().ending
