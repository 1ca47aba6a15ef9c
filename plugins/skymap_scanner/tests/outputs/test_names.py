"""Names of files."""

from __future__ import annotations

import pytest

from skymap_scanner.event import EventHeader
from skymap_scanner.outputs.names import base_name


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("HESE", "run00127907.evt000020178442.HESE_8_64_512"),
        ("", "run00127907.evt000020178442.unknown_8_64_512"),
        ("../a b/c", "run00127907.evt000020178442.a-b-c_8_64_512"),
    ],
)
def test_name_is_that_of_skyreader(event_type: str, expected: str) -> None:
    header = EventHeader(run_id=127907, event_id=20178442, mjd=57415.2, event_type=event_type)
    assert base_name(header, [512, 8, 64]) == expected
