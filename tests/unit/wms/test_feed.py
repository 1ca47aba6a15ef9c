from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ewms.wms.feed import SourceFeed
from ewms.wms.routing import NewEvent, source_rank


def _event(number: int) -> NewEvent:
    return NewEvent(0, str(number), source_rank(number), "json", b"1")


class _Driver:
    """Takes what the feed has whenever it is woken."""

    def __init__(self, source: Iterator[NewEvent]) -> None:
        self._woken = threading.Event()
        self.feed = SourceFeed(source, self._woken.set)
        self.feed.start()

    def take(self) -> tuple[list[str], bool]:
        """Ids of the next events, and whether they were the last."""
        while (taken := self.feed.take()) is None:
            assert self._woken.wait(5)
            self._woken.clear()
        events, is_last = taken
        return [event.id for event in events], is_last


def test_an_event_does_not_wait_for_the_next() -> None:
    gate = threading.Event()

    def source() -> Iterator[NewEvent]:
        yield _event(0)
        assert gate.wait(5)
        yield _event(1)

    driver = _Driver(source())
    assert driver.take() == (["0"], False)
    gate.set()
    seen, is_last = [], False
    while not is_last:
        ids, is_last = driver.take()
        seen += ids
    assert seen == ["1"]


def test_what_came_before_an_error_is_kept() -> None:
    def source() -> Iterator[NewEvent]:
        yield _event(0)
        raise ValueError("broken")

    driver = _Driver(source())
    assert driver.take() == (["0"], False)
    with pytest.raises(ValueError, match="broken"):
        driver.take()


def test_it_is_only_so_far_ahead() -> None:
    pulled: list[int] = []

    def source() -> Iterator[NewEvent]:
        for number in range(100_000):
            pulled.append(number)
            yield _event(number)

    driver = _Driver(source())
    taken = len(driver.take()[0])
    driver.feed.stop()
    assert len(pulled) <= taken + 4096 + 1
