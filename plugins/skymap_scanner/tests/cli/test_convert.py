"""`skymap-scanner convert`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from skymap_scanner.cli.convert import convert
from skymap_scanner.errors import EventError, ScanError
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import load_alert, native

EVENTS = Path(__file__).parents[4] / ".." / "shared" / "events"


@pytest.fixture
def event(tmp_path: Path) -> Path:
    pulses = np.array([(20, 30, 1000.0, 2.0, 8.0, 7)], PULSE)
    path = tmp_path / "event.json"
    path.write_bytes(native.dumps(Alert(header=EventHeader(run_id=1, event_id=2, mjd=60000.0), pulses=pulses)))
    return path


def test_our_own_format_is_written_as_it_was(event: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(convert, [str(event), str(tmp_path / "out.json")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out.json").read_bytes() == event.read_bytes()


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the folder ../shared/events with real alerts is not here")
@pytest.mark.parametrize("name", ["hese_event_01.json", "run00136662-evt000035405932-BRONZE.pkl"])
def test_real_alerts(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert CliRunner().invoke(convert, [str(EVENTS / name), str(out)]).exit_code == 0
    before, after = load_alert(EVENTS / name), load_alert(out)
    assert after.header == before.header
    assert after.pulses.tobytes() == before.pulses.tobytes()
    assert [repr(fit) for fit in after.fits] == [repr(fit) for fit in before.fits]


def test_what_cannot_be_written(event: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(convert, [str(event), str(tmp_path)])
    assert isinstance(done.exception, ScanError)
    assert str(done.exception) == f"{tmp_path}: cannot be written (Is a directory)"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    done = CliRunner().invoke(convert, [str(tmp_path / "bad.json"), str(tmp_path / "out.json")])
    assert isinstance(done.exception, EventError)
    assert not (tmp_path / "out.json").exists()
