from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examples import check_refused, check_replay


def test_a_broken_micrograph_is_replaced_and_replayed_and_workers_change_nothing(
    example: Path, collection: Path, tmp_path: Path
) -> None:
    good, broken = sorted(collection.glob("mock*.mrc"))[:2]
    settings = ("--set", f"templates={collection / 'templates.mrc'}", "--set", "rounds=2")
    check_replay(tmp_path, example, good, broken, *settings)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--set", "diameter=-3"], "diameter must be positive"),
        (["--set", "templates=nowhere.mrc"], "templates nowhere.mrc: the file cannot be opened"),
        (["--input", "nowhere.mrc"], "input nowhere.mrc does not exist"),
    ],
)
def test_wrong_parameters_and_inputs_are_told_in_one_line(
    example: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    check_refused(tmp_path, example, arguments, complaint)
