"""Compressed pulses: whatever an encoder written from the format's description packs comes out again."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading.objects import decode
from skymap_scanner.reading.pulsemap import PulseMap
from skymap_scanner.reading.superdst import separate

Stamp = tuple[int, int, int]
"""ns since the one before (of a group's first: since the first of the group before), charge code, width code."""
Group = tuple[int, int, bool, list[Stamp]]
"""String, om, coincidence, stamps."""


def encode(groups: list[Group]) -> bytes:
    words, headers, extra = [], [], []
    widths: list[list[int]] = [[], [], [], []]
    for string, om, hlc, stamps in groups:
        surface = om > 60
        for number, (delay, charge, width) in enumerate(stamps):
            most = 255 if number else 2047
            time = min(delay, most)
            if not number:
                headers.append(string << 6 | om - 1 | time >> 8 << 13)
            code = charge & 63 if surface else min(charge, 63)
            words.append(time & 255 | code << 8 | hlc << 14 | (number == len(stamps) - 1) << 15)
            if time == most:
                words += overflow(delay - most)
            if surface:
                extra.append(charge >> 6)
            elif charge >= 63:
                words += overflow(charge - 63)
            widths[2 * surface + hlc].append(width)
    parts = [compact(words, "H"), compact(headers, "H", first=False)]
    parts += [compact(runs(codes), "B", first=number == 0, codec=False) for number, codes in enumerate(widths)]
    return b"".join(parts) + compact(extra, "B", first=False, codec=False)


def overflow(rest: int) -> list[int]:
    return [0xFFFF] * (rest // 0xFFFF) + [rest % 0xFFFF]


def runs(codes: Iterable[int]) -> list[int]:
    out = []
    for value, group in groupby(codes):
        length = len(list(group))
        while length:
            out.append(value | (length & 15) << 4)
            length >>= 4
    return out


def compact(values: list[int], letter: str, *, first: bool = True, codec: bool = True) -> bytes:
    """A vector behind its size; the first of its class has a header, and so has the first size of all."""
    head = b"\0\0" if first or letter == "H" else b""
    size = len(values).to_bytes(1 if len(values) <= 246 else 2, "little")
    marker = b"" if len(values) <= 246 else bytes([255 - 2])
    return head + (b"\0\0" if codec and first else b"") + marker + size + struct.pack(f"<{len(values)}{letter}", *values)


@pytest.fixture(scope="session")
def decoded(body_of: Callable[..., bytes]) -> Callable[[list[Group]], PulseMap]:
    def decode_groups(groups: list[Group]) -> PulseMap:
        value = decode(body_of("I3SuperDST", 1, encode(groups)))
        assert isinstance(value, PulseMap)
        return value

    return decode_groups


DELAYS = st.integers(1, 300) | st.sampled_from([254, 255, 256, 2046, 2047, 2048, 2047 + 0xFFFF, 255 + 0xFFFF, 255 + 0x1FFFE])
CHARGES = st.integers(0, 70) | st.sampled_from([62, 63, 64, 63 + 0xFFFF, 63 + 0x1FFFE])
STAMPS = st.lists(st.tuples(DELAYS, CHARGES, st.integers(0, 15)), min_size=1, max_size=5)
IN_ICE = st.tuples(st.integers(1, 86), st.integers(1, 60), st.booleans(), STAMPS)
ON_TOP = st.tuples(
    st.integers(1, 81),
    st.integers(61, 64),
    st.booleans(),
    st.lists(st.tuples(DELAYS, st.integers(0, 2**14 - 1), st.integers(0, 15)), min_size=1, max_size=1),
)


@given(groups=st.lists(IN_ICE | ON_TOP, max_size=30, unique_by=lambda group: group[:2]))
@settings(max_examples=150)
def test_what_was_packed_comes_out(groups: list[Group], decoded: Callable[..., PulseMap]) -> None:
    expected, clock = [], -512.0
    for string, om, hlc, stamps in groups:
        clock += stamps[0][0]
        times = clock + np.cumsum([0, *(delay for delay, _, _ in stamps[1:])])
        gaps = np.diff(times, append=np.inf)
        for time, gap, (_, code, width) in zip(times, gaps, stamps, strict=True):
            charge = 10 ** (code * 9 / 16383 - 2) if om > 60 else code * 0.05 + 0.025
            expected.append((string, om, time, charge, min(2.0**width, gap), 7 if hlc else 4))
    found = decoded(groups)
    assert found.counts.tolist() == [len(group[3]) for group in sorted(groups)]
    wanted = np.array(sorted(expected), PULSE)
    for field in ("string", "om", "time", "width", "flags"):
        assert found.pulses[field].tolist() == wanted[field].tolist()
    np.testing.assert_allclose(found.pulses["charge"], wanted["charge"], rtol=1e-6)


def test_read_outs_of_one_module_are_put_together(decoded: Callable[..., PulseMap]) -> None:
    groups: list[Group] = [
        (9, 9, True, [(600, 20, 3), (5, 20, 3)]),
        (3, 3, False, [(1, 20, 0)]),
        (9, 9, False, [(50, 20, 1)]),
    ]
    found = decoded(groups)
    assert found.pulses["time"].tolist() == [89.0, 88.0, 93.0, 139.0]
    assert found.counts.tolist() == [1, 3]
    assert found.pulses["width"].tolist() == [1.0, 5.0, 8.0, 2.0]
    assert found.pulses["flags"].tolist() == [4, 7, 7, 4]


@pytest.mark.parametrize(
    ("pulses", "expected"),
    [
        ([(0, 8), (5, 8)], [(0, 5), (5, 8)]),
        (
            [(0, 8), (8, 8), (8, 2)],
            [(0, 4), (4, 4), (8, 2)],
        ),  # the middle one has no room left: it takes half of the first's
        ([(0, 8), (0, 4)], [(0, 2), (2, 2)]),  # nothing before the first: it shares with the second
        ([(0, 8), (0, 4), (6, 2)], [(0, 2), (2, 2), (6, 2)]),
        ([(3, 4)], [(3, 4)]),
    ],
)
def test_pulses_do_not_overlap(pulses: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    rows = np.array([(1, 1, time, 1.0, width, 4) for time, width in pulses], PULSE)
    both = np.concatenate([rows, rows])
    both["om"][len(rows) :] = 2
    separate(both, np.array([len(rows), len(rows)]))
    assert both[["time", "width"]].tolist() == expected * 2


def test_version_0_is_refused(body_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match=r"^I3SuperDST version 0 is not supported \(1 is\)"):
        decode(body_of("I3SuperDST", 0, bytes(10)))


GROUP: Group = (9, 9, True, [(600, 100, 3), (5, 20, 3)])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (compact([], "H") + compact([9 << 6], "H", first=False) + b"\0\0\0" + bytes(4), "ends within a pulse"),
        (compact([0], "H") + compact([9 << 6], "H", first=False) + b"\0\0\0" + bytes(4), "ends within a pulse"),
        (compact([1 << 15], "H") + compact([9 << 6], "H", first=False) + b"\0\0\0" + bytes(4), "ends within a pulse"),
        (compact([1 << 15], "H") + compact([], "H", first=False) + b"\0\0\0" + bytes(4), "more stamps than its headers"),
        (
            compact([1 << 15], "H") + compact([9 << 6], "H", first=False) + b"\0\0\1\x20" + bytes(4),
            "more widths than pulses",
        ),
        (compact([1 << 15], "H") + compact([0], "H", first=False) + b"\0\0\6" + b"\xf1" * 6 + bytes(4), "more widths"),
        (b"\0\0\0\0\xf7" + b"\xff" * 8, "claims 18446744073709551615 entries; at most 1000000 are read"),
        (b"\0\0\0\0\xfb\x40\x42\x0f\0", "cut short: 2000000 bytes are wanted"),
        (encode([GROUP]) + b"!", "1 bytes are left over"),
    ],
)
def test_parts_that_do_not_fit(fields: bytes, words: str, body_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match=words):
        decode(body_of("I3SuperDST", 1, fields))
