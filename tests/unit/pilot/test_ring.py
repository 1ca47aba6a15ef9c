"""Bounded memory of a stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ewms.pilot.ring import KEPT, SHOWN, Ring


@given(st.lists(st.binary(max_size=3 * KEPT), max_size=6))
def test_keeps_the_end(pieces: list[bytes]) -> None:
    ring = Ring()
    for piece in pieces:
        ring.write(piece)
    assert ring.tail(KEPT) == b"".join(pieces)[-KEPT:].decode("utf-8", "replace")


def test_shows_little_and_replaces_what_is_no_text() -> None:
    ring = Ring()
    ring.write(b"\xff" * KEPT)
    assert ring.tail() == "\N{REPLACEMENT CHARACTER}" * SHOWN


def test_forgets() -> None:
    ring = Ring()
    ring.write(b"something")
    ring.clear()
    assert ring.tail() == ""
