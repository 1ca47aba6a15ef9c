"""Pickles are read, never run."""

from __future__ import annotations

import datetime
import os
import pickle
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.reading.pickled import frame_bytes, plain_data

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(value=PLAIN, protocol=st.integers(3, 5))
@settings(max_examples=100)
@example(value={"a": [1] * 2000, "b": {str(n): n for n in range(1500)}}, protocol=3)
@example(value=((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), protocol=3)
@example(value=2**80, protocol=3)
def test_plain_data_as_an_unpickler_reads_it(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol=protocol)
    assert plain_data(data) == pickle.loads(data) == value


def test_the_text_protocol() -> None:
    value = {"a": [1, 2.5, "x", None, True], "b": (3, 4)}
    assert plain_data(pickle.dumps(value, protocol=0)) == value


def test_shared_values_stay_shared() -> None:
    shared = ["x"]
    first, second = plain_data(pickle.dumps([shared, shared]))
    assert first is second


class _Harmful:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_not_run(protocol: int, tmp_path: Any) -> None:
    target = tmp_path / "harm"
    data = pickle.dumps({"value": _Harmful(str(target))}, protocol=protocol)
    with pytest.raises(EventError, match=r"holds more than plain data \(opcode \w+\): it is refused"):
        plain_data(data)
    with pytest.raises(EventError, match="no frame in the pickle"):
        frame_bytes(data)
    assert not target.exists()


@pytest.mark.parametrize("value", [datetime.date(2020, 1, 1), 1j, {1, 2}, frozenset(), bytearray(b"x")])
@pytest.mark.parametrize("protocol", [2, 5])
def test_everything_else_is_refused(value: Any, protocol: int) -> None:
    with pytest.raises(EventError, match="more than plain data"):
        plain_data(pickle.dumps(value, protocol=protocol))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x03",
        b"\x80\x03.",
        b"\x80\x03]e.",  # appends without a mark
        b"\x80\x03K\x01K\x02.",  # two values at the end
        b"\x80\x03K\x01K\x02a.",  # append to a number
        b"\x80\x03}K\x01s.",  # a key without a value
        b"\x80\x03}(K\x01u.",  # the same in a batch
        b"\x80\x03}(]K\x01u.",  # a list as key
        b"\x80\x03h\x05.",  # never put
        b"\x80\x03q\x05.",  # nothing to put
        b"\x80\x03\x86.",  # a pair of nothing
        b"\x80\x03B\xff\xff\xff\xffx.",  # four gigabytes
        b"\x80\x03\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx.",  # eight exabytes
        b"\x80\x03X\x02\x00\x00\x00\xff\xff.",  # no UTF-8
        b"\x80\x03\xff.",  # no opcode
        b"I9\n",
        b"Inine\n.",
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(EventError, match=r"malformed|cut short"):
        plain_data(data)


@pytest.mark.parametrize("protocol", range(6))
def test_the_frame_inside(protocol: int) -> None:
    frame = b"[i3]" + bytes(range(256))
    assert frame_bytes(pickle.dumps({"state": ("x", frame)}, protocol=max(protocol, 3))) == frame
    assert frame_bytes(pickle.dumps({"state": ("x", frame.decode("latin-1"))}, protocol=protocol)) == frame


def test_text_that_is_no_bytes() -> None:
    with pytest.raises(EventError, match="characters that are no bytes"):
        frame_bytes(pickle.dumps("[i3]\N{SNOWMAN}"))


def test_python_2_wrote_bytes_as_short_strings() -> None:
    assert frame_bytes(b"\x80\x02U\x06[i3]\xff\x01.") == b"[i3]\xff\x01"
    assert frame_bytes(b"\x80\x02T\x06\x00\x00\x00[i3]\xff\x01.") == b"[i3]\xff\x01"


def test_deep_nesting_is_harmless() -> None:
    depth = 300_000
    assert isinstance(plain_data(b"\x80\x03)" + b"\x85" * depth + b"."), tuple)
    with pytest.raises(EventError, match="malformed"):
        plain_data(b"\x80\x03})" + b"\x85" * depth + b"Ns.")  # as a key, which is hashed


def test_endless_programs_end() -> None:
    with pytest.raises(EventError, match="more than 1000000 opcodes"):
        plain_data(b"\x80\x03" + b"N" * 1_000_001 + b".")
