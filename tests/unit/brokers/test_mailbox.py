"""Signals that nobody reads in time."""

from __future__ import annotations

import asyncio

from ewms.brokers.mailbox import CAPACITY, Mailbox


async def test_the_oldest_is_dropped_first() -> None:
    mailbox = Mailbox()
    for number in range(CAPACITY + 2):
        mailbox.put(b"%d" % number)
    assert await anext(mailbox) == b"2"


async def test_a_reader_waits_for_the_next() -> None:
    mailbox = Mailbox()
    reader = asyncio.create_task(anext(mailbox))
    await asyncio.sleep(0)
    assert not reader.done()
    mailbox.put(b"late")
    assert await reader == b"late"
