from __future__ import annotations

import score
from hypothesis import given
from hypothesis import strategies as st


def plain_distance(left: str, right: str) -> int:
    """The textbook's table, row by row."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        above, row = row, [i]
        for j, b in enumerate(right, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@given(st.text("abcd ", max_size=80), st.text("abcd ", max_size=80))
def test_edit_distance_is_that_of_the_textbook(left: str, right: str) -> None:
    assert score.edit_distance(left, right) == plain_distance(left, right)


def test_typographic_signs_and_line_breaks_are_no_errors() -> None:
    assert score.normal("\u201cDon\u2019t\u201d \u2014 she\nsaid\n") == score.normal('"Don\'t" - she  said')
