"""Masks choose pulses of another series."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading.frame import Frame
from skymap_scanner.reading.mask import Mask, apply
from skymap_scanner.reading.objects import decode
from skymap_scanner.reading.packet import Packet
from skymap_scanner.reading.pulsemap import PulseMap


def bits(values: Sequence[bool]) -> bytes:
    packed = np.packbits(values, bitorder="little").tobytes() if len(values) else b""
    return struct.pack("<HB", len(packed), 8 * len(packed) - len(values)) + packed


def fields(source: str, modules: Sequence[bool], elements: Sequence[Sequence[bool]], version: int = 2) -> bytes:
    """Bit masks and their vector are untracked, and have been met when the second comes."""
    reference = b"\0\0\0\0" if version == 1 else b""
    head = struct.pack("<I", len(source)) + source.encode() + reference + b"\0\0" + bits(modules)
    return head + b"\0\0" + struct.pack("<I", len(elements)) + b"".join(map(bits, elements))


def source_of(counts: Sequence[int]) -> PulseMap:
    rows = [(module + 1, 1, time, 1.0, 1.0, 0) for module, count in enumerate(counts) for time in range(count)]
    return PulseMap(pulses=np.array(rows, PULSE), counts=np.array(counts, np.int64))


CHOICES = st.lists(st.none() | st.lists(st.booleans(), max_size=20), max_size=30)
"""For each module of the source None, or which of its pulses are chosen."""


@given(choices=CHOICES, counts=st.data(), version=st.integers(1, 2))
@settings(max_examples=100)
def test_chosen_pulses(
    choices: list[list[bool] | None], counts: st.DataObject, version: int, body_of: Callable[..., bytes]
) -> None:
    source = source_of([counts.draw(st.integers(0, 20)) if choice is None else len(choice) for choice in choices])
    elements = [choice for choice in choices if choice is not None]
    body = body_of(
        "I3RecoPulseSeriesMapMask", version, fields("Source", [c is not None for c in choices], elements, version)
    )
    mask = decode(body)
    assert isinstance(mask, Mask)
    assert mask.source == "Source"
    chosen = apply(mask, source)
    expected = [(module + 1, time) for module, choice in enumerate(choices) for time, on in enumerate(choice or ()) if on]
    assert chosen.pulses[["string", "time"]].tolist() == expected
    assert chosen.counts.tolist() == [sum(choice) for choice in elements if any(choice)]


def test_empty_masks_of_version_0_were_written_with_64_modules(body_of: Callable[..., bytes]) -> None:
    mask = decode(body_of("I3RecoPulseSeriesMapMask", 0, fields("Source", [True] * 64, [], 0)))
    assert isinstance(mask, Mask)
    assert len(apply(mask, source_of([])).pulses) == 0


@pytest.mark.parametrize(
    ("modules", "elements", "words"),
    [
        ([True], [[True]], "a mask over 1 modules is applied to Source, which has 2"),
        ([True, True], [[True]], "a mask does not fit the pulses of Source"),
        ([True, False], [[True, True]], "a mask does not fit the pulses of Source"),
    ],
)
def test_masks_of_something_else(
    modules: list[bool], elements: list[list[bool]], words: str, body_of: Callable[..., bytes]
) -> None:
    mask = decode(body_of("I3RecoPulseSeriesMapMask", 2, fields("Source", modules, elements)))
    assert isinstance(mask, Mask)
    with pytest.raises(EventError, match=words):
        apply(mask, source_of([1, 3]))


def test_impossible_padding(body_of: Callable[..., bytes]) -> None:
    body = body_of("I3RecoPulseSeriesMapMask", 2, struct.pack("<I", 1) + b"S\0\0" + struct.pack("<HB", 1, 9) + b"\xff")
    with pytest.raises(EventError, match="a bit mask of 1 bytes has 9 bits of padding"):
        decode(body)


@pytest.fixture
def packet_of(body_of: Callable[..., bytes], small_objects: dict[str, bytes]) -> Callable[..., Packet]:
    """An event with masks (name, source, modules, elements) besides its three pulses of two modules."""

    def make(*masks: tuple[str, str, list[bool], list[list[bool]]], **others: bytes) -> Packet:
        made = {
            name: body_of("I3RecoPulseSeriesMapMask", 2, fields(source, modules, elements))
            for name, source, modules, elements in masks
        }
        return Packet([Frame(stream="P", objects={**small_objects, **made, **others})])

    return make


def test_chains_lose_modules_on_the_way(packet_of: Callable[..., Packet]) -> None:
    first = ("First", "SplitInIcePulses", [True, True], [[False, False], [True]])
    packet = packet_of(first, ("Second", "First", [True], [[True]]))
    assert packet.pulses("Second").pulses["string"].tolist() == [5]


def test_unions_have_each_pulse_once(packet_of: Callable[..., Packet], body_of: Callable[..., bytes]) -> None:
    names = b"".join(struct.pack("<I", len(name)) + name for name in (b"First", b"SplitInIcePulses"))
    union = body_of("I3RecoPulseSeriesMapUnion", 0, b"\0\0" + struct.pack("<I", 2) + names)
    packet = packet_of(("First", "SplitInIcePulses", [True, False], [[True, False]]), Union=union)
    found = packet.pulses("Union")
    assert found.pulses["time"].tolist() == [10.5, 20.0, 15.0]
    assert found.counts.tolist() == [2, 1]


@pytest.mark.parametrize("source", ["Missing", "I3EventHeader"])
def test_sources_without_pulses(source: str, packet_of: Callable[..., Packet]) -> None:
    with pytest.raises(EventError, match=f"object {source} is missing or holds no pulses"):
        packet_of(("First", source, [True], [[True]])).pulses("First")


def test_masks_of_themselves(packet_of: Callable[..., Packet]) -> None:
    with pytest.raises(EventError, match="the masks of the pulses chain more than 8 deep"):
        packet_of(("First", "First", [True], [[True]])).pulses("First")
