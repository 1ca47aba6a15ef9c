"""From what a user names as input to events."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.errors import InputError
from ewms.local.inputs import PlainApplication


def events(*paths: Path) -> list[tuple[str, object]]:
    return [(event.id, event.body) for event in PlainApplication(paths, ("queue",)).start()]


def test_json_lines_count_from_zero_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('1\n\n{"x": NaN}\n"drei"\n')
    found = events(path)
    assert [name for name, _ in found] == ["0", "2", "3"]
    assert (found[0][1], found[2][1]) == (1, "drei")
    assert str(found[1][1]) == "{'x': nan}"


def test_two_files_of_lines_have_ids_of_their_own(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        tmp_path.joinpath(name).write_text("1\n")
    assert [name for name, _ in events(tmp_path / "a.jsonl", tmp_path / "b.jsonl")] == ["a.jsonl:0", "b.jsonl:0"]


def test_folders_are_walked_in_order_and_bodies_follow_the_suffix(tmp_path: Path) -> None:
    tmp_path.joinpath("sub").mkdir()
    tmp_path.joinpath("b.txt").write_text("text")
    tmp_path.joinpath("latin.txt").write_bytes(b"\xe9")
    tmp_path.joinpath("c.json").write_text('{"a": 1}')
    tmp_path.joinpath("sub", "a b.dat").write_bytes(b"\x00\xff")
    assert events(tmp_path) == [
        ("b.txt", "text"),
        ("c.json", {"a": 1}),
        ("latin.txt", b"\xe9"),
        ("sub/a:20b.dat", b"\x00\xff"),
    ]


def test_wrong_lines_and_files_are_named(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text("1\n{")
    with pytest.raises(InputError, match=r"a\.jsonl line 2 is not JSON"):
        events(lines)
    tmp_path.joinpath("a.jsonl").unlink()
    tmp_path.joinpath("x.json").write_text("{")
    with pytest.raises(InputError, match=r"x\.json is not JSON"):
        events(tmp_path)
    with pytest.raises(InputError, match="several input queues"):
        PlainApplication((tmp_path,), ("a", "b"))
    with pytest.raises(InputError, match="--input"):
        PlainApplication((), ("a",))
