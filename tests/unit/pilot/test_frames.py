"""Arrays that are joined without being decoded."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ewms.pilot.worker.frames import NO_RESULTS, array_head, join_arrays

sizes = st.sampled_from([0, 1, 15, 16, 300, 65_536])


@given(st.lists(sizes, min_size=1, max_size=4))
def test_join(counts: list[int]) -> None:
    arrays = [list(range(count)) for count in counts]
    joined = join_arrays([msgspec.Raw(msgspec.msgpack.encode(array)) for array in arrays])
    assert msgspec.msgpack.decode(joined) == [element for array in arrays for element in array]


@given(sizes)
def test_array_head(count: int) -> None:
    encoded = msgspec.msgpack.encode([0] * count)
    elements, offset = array_head(encoded)
    assert (elements, len(encoded) - offset) == (count, count)


def test_nothing_joins_to_nothing() -> None:
    assert msgspec.msgpack.decode(join_arrays([NO_RESULTS, NO_RESULTS])) == []
