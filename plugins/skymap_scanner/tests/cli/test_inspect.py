"""`skymap-scanner inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from skymap_scanner.cli.inspect import inspect
from skymap_scanner.errors import EventError, ScanError
from skymap_scanner.event import Alert, EventHeader, PublishedFit, Truth
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native

EVENTS = Path(__file__).parents[4] / ".." / "shared" / "events"


@pytest.fixture
def event(tmp_path: Path) -> Path:
    """Four pulses of two modules near each other, one of a third far away."""
    rows = [
        (20, 30, 1000.0, 2.0, 8.0, 7),
        (20, 30, 1500.0, 3.0, 8.0, 4),
        (20, 31, 1100.0, 1.5, 8.0, 7),
        (70, 5, 0.0, 0.5, 1.0, 4),
    ]
    alert = Alert(
        header=EventHeader(run_id=120_000, event_id=77, mjd=60000.25, event_type="HESE", is_real=False),
        pulses=np.array(rows, PULSE),
        fits=(
            PublishedFit(name="with", zenith=1.0, azimuth=2.0, x=1.0, y=2.0, z=3.0, time=4.0, energy=5.0, llh=6.25, ndof=7),
            PublishedFit(name="without", zenith=np.pi / 2, azimuth=0.0),
        ),
        truth=Truth(kind="track", zenith=1.1, azimuth=2.1, x=0.0, y=0.0, z=0.0, time=0.0, energy=1e5),
    )
    path = tmp_path / "event.json"
    path.write_bytes(native.dumps(alert))
    return path


def test_words(event: Path) -> None:
    done = CliRunner().invoke(inspect, [str(event)])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "Run 120000, event 77 (HESE, simulated)"
    assert lines[1] == "2023-02-25T06:00:00.000000 UTC, MJD 60000.25000000"
    rows = {tuple(line.split()) for line in lines}
    assert ("all", "in", "the", "ice", "4", "3", "7.0") in rows
    assert ("in", "coincidence", "(HLC)", "2", "2", "3.5") in rows
    assert ("after", "cleaning", "3", "2", "6.5") in rows
    assert ("20", "3", "2", "6.5") in rows
    assert ("70", "1", "1", "0.5") in rows
    assert ("without", "90.000", "0.000", "334.557", "-0.118") in rows


def test_json(event: Path) -> None:
    done = CliRunner().invoke(inspect, [str(event), "--json"])
    document = json.loads(done.output)
    assert document["strings"] == [
        {"string": 20, "pulses": 3, "modules": 2, "charge": 6.5},
        {"string": 70, "pulses": 1, "modules": 1, "charge": 0.5},
    ]
    assert document["cleaned_pulses"] == {"pulses": 3, "modules": 2, "charge": 6.5}
    with_numbers, without = document["fits"]
    assert with_numbers["zenith"] == pytest.approx(57.29578)
    assert (with_numbers["x"], with_numbers["energy"], with_numbers["llh"], with_numbers["ndof"]) == (1.0, 5.0, 6.25, 7)
    assert without["energy"] is None
    assert document["truth"]["kind"] == "track"


@pytest.mark.parametrize("kind", ["png", "PDF", "svg"])
def test_picture(kind: str, event: Path, tmp_path: Path) -> None:
    picture = tmp_path / f"view.{kind}"
    done = CliRunner().invoke(inspect, [str(event), "--picture", str(picture)])
    assert done.exit_code == 0, done.output
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ("name", "words"), [("view.gif", "name a file that ends in .png"), ("view", "name a file that ends")]
)
def test_pictures_of_unknown_kind(name: str, words: str, event: Path) -> None:
    done = CliRunner().invoke(inspect, [str(event), "--picture", name])
    assert isinstance(done.exception, ScanError)
    assert words in str(done.exception)
    assert done.output == ""


def test_pictures_that_cannot_be_written(event: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(inspect, [str(event), "--picture", str(tmp_path / "no" / "view.png")])
    assert isinstance(done.exception, ScanError)
    assert str(done.exception).endswith("view.png: cannot be written (No such file or directory)")


def test_missing_events(tmp_path: Path) -> None:
    done = CliRunner().invoke(inspect, [str(tmp_path / "none.json")])
    assert isinstance(done.exception, EventError)
    assert "none.json: cannot be read (No such file or directory)" in str(done.exception)


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the folder ../shared/events with real alerts is not here")
def test_a_real_alert() -> None:
    done = CliRunner().invoke(inspect, [str(EVENTS / "138632_31747601.json"), "--json"])
    document = json.loads(done.output)
    assert document["cleaned_pulses"]["modules"] == 175
    assert document["cleaned_pulses"]["pulses"] == 888
    assert document["cleaned_pulses"]["charge"] == pytest.approx(830.4, abs=0.5)
    assert document["utc"] == "2023-12-02T17:08:24.093230"
    spline = next(fit for fit in document["fits"] if fit["name"].endswith("SplineMPE"))
    assert (spline["ra"], spline["dec"]) == (pytest.approx(138.654, abs=0.002), pytest.approx(0.142, abs=0.002))
