"""How much of a text was read wrongly."""

from __future__ import annotations

_KEYS = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-"}


def typed(text: str) -> str:
    """The text with the quotes and dashes that a keyboard has."""
    return text.translate(_KEYS)


def normal(text: str) -> str:
    """What is compared: the text as typed, in one line."""
    return " ".join(typed(text).split())


def edit_distance(left: str, right: str) -> int:
    """Fewest characters to insert, delete or replace to make one text the other.

    Myers' bit-parallel algorithm (Journal of the ACM 46, 1999) in Hyyrö's form: a column of the table is one integer, so
    that two pages are compared in milliseconds.
    """
    if not left:
        return len(right)
    places: dict[str, int] = {}
    for place, letter in enumerate(left):
        places[letter] = places.get(letter, 0) | 1 << place
    every, last = (1 << len(left)) - 1, 1 << len(left) - 1
    up, down, distance = every, 0, len(left)  # where the column rises and falls by one
    for letter in right:
        match = places.get(letter, 0) | down
        diagonal = (((match & up) + up) ^ up) | match
        rise, fall = down | ~(diagonal | up), up & diagonal
        distance += bool(rise & last) - bool(fall & last)
        rise, fall = rise << 1 | 1, fall << 1
        up, down = (fall | ~(diagonal | rise)) & every, rise & diagonal & every
    return distance
