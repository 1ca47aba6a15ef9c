from __future__ import annotations

from ewms.brokers.base import Delivery
from ewms.core import wire
from ewms.core.wire import PROTOCOL, WorkEvent, WorkMessage
from ewms.pilot.holding import Holding
from ewms.pilot.line import Line


class Leased(Delivery):
    """A message that no broker knows of."""

    redelivered = False

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def renew(self) -> None:
        """Nobody is told."""

    async def ack(self) -> None:
        """Nobody is told."""


def holding(name: str, ahead: int) -> Holding:
    message = WorkMessage(PROTOCOL, name, "t", copy=False, events=[WorkEvent(name, "json", b"1")], ahead=ahead)
    return Holding(Leased(wire.encode(message)))


async def test_first_come_first_served_but_for_what_must_not_wait() -> None:
    given_back: list[Holding] = []
    line = Line(1, given_back.append)
    for name, ahead in (("a", 4), ("b", 4), ("retry", 0), ("c", 4)):
        line.add(holding(name, ahead))
    served = []
    while (following := line.next()) is not None:
        served.append(following.message_id)
    assert served == ["retry", "a", "b", "c"]
    assert not given_back
    line.close()


async def test_more_is_wanted_when_the_line_is_half_empty() -> None:
    line = Line(2, lambda holding: None)
    assert line.room == 0, "nobody allowed a line"
    line.heed(holding("first", 4))
    assert (line.length, line.room) == (8, 8)
    for number in range(5):
        line.add(holding(str(number), 4))
    assert line.room == 0
    line.next()
    assert line.room == 4
    line.heed(holding("retry", 0))
    assert line.room == 0
    line.close()


async def test_what_is_cleared_goes_back_in_order() -> None:
    given_back: list[Holding] = []
    line = Line(1, given_back.append)
    for name in "abc":
        line.add(holding(name, 4))
    line.clear()
    assert [back.message_id for back in given_back] == ["a", "b", "c"]
    assert line.next() is None
    line.close()
