"""Files of every format."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from skymap_scanner.errors import EventError, NoSignal
from skymap_scanner.reading import load_alert, load_alert_bytes, native


def test_formats_are_told_apart(small_alert: bytes, tmp_path: Path) -> None:
    expected = load_alert_bytes(small_alert, "alert")
    files = {"alert.json": small_alert, "event.json": native.dumps(expected), "spaced.json": b"\n " + small_alert}
    files |= {f"{protocol}.pkl": pickle.dumps(json.loads(small_alert), protocol=protocol) for protocol in range(6)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        read = load_alert(tmp_path / name)
        assert read.header == expected.header
        assert np.array_equal(read.pulses, expected.pulses)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"none\.json: cannot be read \(No such file or directory\); name an alert"):
        load_alert(tmp_path / "none.json")
    with pytest.raises(EventError, match=r"cannot be read \(Is a directory\)"):
        load_alert(tmp_path)


def test_the_kind_of_error_and_the_name_are_kept() -> None:
    empty = b'{"format":"skymap-scanner-event","version":1,"header":%s,"pulses":[]}'
    header = b'{"run_id":1,"event_id":2,"mjd":60000,"event_type":"","is_real":false}'
    with pytest.raises(NoSignal, match=r"^event\.json: the event has no pulses$"):
        load_alert_bytes(empty % header, "event.json")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\xff\xfe{\x00", b"{", b'"text"', b"null", b"1"])
def test_other_files(data: bytes) -> None:
    with pytest.raises(EventError, match=r"^file: (neither JSON nor a pickle|it is no i3live alert)"):
        load_alert_bytes(data, "file")
