from __future__ import annotations

import pytest

from skymap_scanner.errors import ScanError
from skymap_scanner.scanning.progression import DEFAULT, Progression


@pytest.mark.parametrize("text", [DEFAULT, "8:0 64:12 512:24", " 8:0, 64:12 ,512:24 "])
def test_items_are_separated_by_commas_or_blanks(text: str) -> None:
    progression = Progression.parse(text)
    assert progression.nsides == (8, 64, 512)
    assert [step.extension for step in progression.steps] == [0, 12, 24]


def test_one_level_is_enough() -> None:
    assert Progression.parse("4096:0").nsides == (4096,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not of the form"),
        ("8", "'8' is not of the form"),
        ("8:0,64:-1", "'64:-1' is not of the form"),
        ("8:0,48:12", "48 in '48:12' is not a power of two"),
        ("0:0", "0 in '0:0' is not a power of two"),
        ("8:0,8192:12", "8192 in '8192:12' is not a power of two from 1 to 4096"),
        ("64:0,8:12", "8 follows 64; go from coarse to fine"),
        ("8:0,8:12", "8 follows 8"),
        ("8:5", "the first extension is 5"),
        ("8:0,64:0", "the extension in '64:0' is 0"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(ScanError, match="nsides: ") as raised:
        Progression.parse(text)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
