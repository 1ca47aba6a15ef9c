"""Reading event logs: in any pieces, and past any damage."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ewms.tms.backends._htcondor_course import Kind
from ewms.tms.backends._htcondor_records import MAX_BYTES, Position, Record, read
from tests.unit.tms.backends.condor_log import event

NUMBERS = st.lists(st.integers(0, 9), max_size=20)


def read_all(path: Path, position: Position) -> list[int | None]:
    """Numbers of the jobs of all records that are there."""
    found: list[Record] = []
    while True:
        before = position.offset
        found += read(path, position)
        if position.offset == before:
            return [record.proc for record in found]


@given(NUMBERS, st.lists(st.integers(0, 4000), max_size=8))
def test_a_log_that_grows_in_any_pieces_is_read_once(procs: list[int], cuts: list[int]) -> None:
    log = b"".join(event(Kind.EXECUTE, proc, GLIDEIN_Site="a <&> b") for proc in procs)
    position, found, written = Position(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        for end in [*sorted(cut for cut in cuts if cut < len(log)), len(log)]:
            with path.open("ab") as file:
                file.write(log[written:end])
            written = end
            found += read_all(path, position)
    assert found == procs
    assert (position.offset, position.damaged) == (len(log), 0)


@given(
    NUMBERS,
    NUMBERS,
    st.sampled_from([
        b"<c>\n    garbage\n</c>\n",
        b"<c>\n    <a n=\"Proc\"><i>1</i></a>\n",  # its end was never written
        b"\x00\xff\xfe\n</c>\n",
        b"<c>\n    <a n=\"Proc\"><i>x</i></a>\n</c>\n",
        b"<c>\n    <a n=\"EventTypeNumber\"><i>1</i></a>\n</c>\n",
    ]),
)  # fmt: skip
def test_damage_costs_only_itself(before: list[int], after: list[int], damage: bytes) -> None:
    logs = [b"".join(event(Kind.EXECUTE, proc) for proc in procs) for procs in (before, [*after, 3])]
    position = Position()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        path.write_bytes(damage.join(logs))
        assert read_all(path, position) == [*before, *after, 3]
    assert position.damaged == 1


def test_a_flood_is_read_bit_by_bit(tmp_path: Path) -> None:
    one = event(Kind.GENERIC, 1, Info="x" * 1000)
    count = 3 * MAX_BYTES // len(one)
    path, position = tmp_path / "log", Position()
    path.write_bytes(one * count)
    first = read(path, position)
    assert 0 < len(first) < count
    assert position.offset <= MAX_BYTES
    assert len(first) + len(read_all(path, position)) == count


def test_what_is_no_log_at_all_is_passed_over(tmp_path: Path) -> None:
    path, position = tmp_path / "log", Position()
    path.write_bytes(b"x" * (2 * MAX_BYTES))
    assert read_all(path, position) == []
    assert (position.offset, position.damaged) == (2 * MAX_BYTES, 2)


def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    path, position = tmp_path / "log", Position()
    path.write_bytes(event(Kind.EXECUTE, 1) * 3)
    assert read_all(path, position) == [1, 1, 1]
    path.rename(tmp_path / "old")
    assert read_all(path, position) == []
    path.write_bytes(event(Kind.EXECUTE, 2) * 4)
    assert read_all(path, position) == [2, 2, 2, 2]
