"""Figures are in full, times in units that suit them, and nothing of a text is taken for HTML."""

from __future__ import annotations

import pytest

from ewms.wms.web.filters import duration, moment, number, size, words


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (1234567, "1\u202f234\u202f567"), (None, "\u2013")])
def test_counts_are_in_full(value: int | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (8 << 20, "8.39 MB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (5.1e-5, "51 µs"), (0.153, "153 ms"), (2.5, "2.5 s"), (61, "1 min 1 s"),
        (7322, "2 h 2 min"), (90000, "1 d 1 h"), (None, "\u2013"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_moment_is_an_element_in_universal_time() -> None:
    assert moment(0) == "&ndash;"
    assert moment(1e9) == '<time datetime="2001-09-09T01:46:40+00:00">2001-09-09 01:46:40 UTC</time>'


def test_commands_in_words_are_told_apart_and_nothing_is_html() -> None:
    assert words("no <b>host</b>; start `ewms drive`") == "no &lt;b&gt;host&lt;/b&gt;; start <code>ewms drive</code>"
    assert words("an odd ` is nothing") == "an odd <code> is nothing</code>"
