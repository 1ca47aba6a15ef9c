"""What a scan shows while it runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ewms
from skymap_scanner.outputs import read_result
from skymap_scanner.scanning.application import RECONSTRUCT, Scan

SMALL: dict[str, Any] = {"reco": "mpe", "nsides": "1:0 2:5"}


def answer(llh: float) -> dict[str, Any]:
    return {"llh": llh, "vertex": {"x": 1.0, "y": 2.0, "z": 3.0, "time": 4.0}, "e_in": math.nan, "e_tot": math.nan}


def begun(event_file: Path, **parameters: Any) -> tuple[Scan, list[str]]:
    """A scan and the ids of its first pixels."""
    scan = Scan([event_file], **SMALL, **parameters)
    return scan, [event.id for event in scan.start() if event.id != "classify"]


def give(scan: Scan, event_id: str, llh: float) -> None:
    list(scan.advance(ewms.Outcome(id=event_id, task=RECONSTRUCT, values=(answer(llh),))))


def shown(scan: Scan) -> Mapping[str, str | bytes]:
    files = scan.snapshot()
    assert files is not None
    return files


def test_nothing_is_shown_before_there_is_anything(event_file: Path) -> None:
    scan, ids = begun(event_file)
    assert scan.snapshot() is None
    scan.advance(ewms.Outcome(id="classify", task="classify", values=({"kind": "track"},)))
    assert scan.snapshot() is None
    assert len(ids) == 12


def test_one_pixel_is_a_map_that_says_it_is_not_complete(event_file: Path, tmp_path: Path) -> None:
    scan, ids = begun(event_file, plots=False)
    give(scan, ids[3], 100.0)
    files = shown(scan)
    assert sorted(files) == ["overview.json", "partial.json"]
    overview = json.loads(files["overview.json"])
    assert (overview["complete"], overview["pixels"], overview["classification"]) == (False, {"1": 1}, {"kind": "unknown"})
    assert overview["best_fit"]["llh"] == 100.0
    path = tmp_path / "partial.json"
    path.write_text(str(files["partial.json"]))
    result = read_result(path)
    assert not result.complete
    assert result.levels[1]["llh"].tolist() == [100.0]


def test_pixels_without_value_are_shown_as_such(event_file: Path) -> None:
    scan, ids = begun(event_file, plots=False)
    give(scan, ids[0], math.nan)
    overview = json.loads(shown(scan)["overview.json"])
    assert (overview["best_fit"], overview["pixels_without_value"]) == (None, 1)
    assert overview["note"] == "no pixel has a likelihood yet"
    give(scan, ids[1], 50.0)
    scan.buried(ewms.DeadLetter(id=ids[2], task=RECONSTRUCT, reason="broken", history=(), body=None))
    files = shown(scan)
    overview = json.loads(files["overview.json"])
    assert (overview["best_fit"]["llh"], overview["pixels_without_value"]) == (50.0, 2)
    rows = json.loads(files["partial.json"])["nside-1"]["data"]
    assert sorted(row[1] for row in rows if row[1] != "<skyreader.nan>") == [50.0]


def test_finer_pixels_show_beside_the_coarse_ones(event_file: Path) -> None:
    scan, ids = begun(event_file, plots=False)
    scan.advance(ewms.Outcome(id="classify", task="classify", values=({"kind": "track", "tracks": 3.5},)))
    finer: list[str] = []
    for number, event_id in enumerate(ids):
        outcome = ewms.Outcome(id=event_id, task=RECONSTRUCT, values=(answer(100.0 + number),))
        finer += [event.id for event in scan.advance(outcome)]
    assert finer
    give(scan, finer[0], 90.0)
    overview = json.loads(shown(scan)["overview.json"])
    assert overview["pixels"] == {"1": 12, "2": 1}
    assert (overview["best_fit"]["nside"], overview["best_fit"]["llh"]) == (2, 90.0)
    assert overview["classification"] == {"kind": "track", "tracks": 3.5}


def test_pictures_come_after_the_first(event_file: Path) -> None:
    scan, ids = begun(event_file)
    give(scan, ids[0], 10.0)
    assert "partial.png" not in shown(scan)
    picture = shown(scan)["partial.png"]
    assert isinstance(picture, bytes)
    assert picture.startswith(b"\x89PNG")
