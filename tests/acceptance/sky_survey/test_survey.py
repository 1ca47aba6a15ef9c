from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from detections import SOURCE, TileSources
from survey import Survey

from ewms import DeadLetter, Event, Outcome
from ewms.core.ids import check_event_id
from ewms.testing import SimulationResult, check_order_independence, simulate


def run(example: Path, *inputs: Path, **parameters: Any) -> SimulationResult:
    """Everything but the processes: the real consumers, ledger and journal, in a shuffled order."""
    from ewms.local.loading import load

    loaded = load(str(example), parameters)
    return simulate(loaded, lambda: loaded.application(inputs))


def outcome(number: int, sources: int = 0) -> Outcome:
    tile = TileSources(
        number=number,
        name=f"{number}.fits",
        seeing=1.0,
        corners=[(10.0, 0.0), (9.9, 0.0), (9.9, 0.1), (10.0, 0.1)],
        sources=np.zeros(sources, SOURCE),
    )
    return Outcome(id=str(number), task="measure", values=(tile.model_dump(),))


def letter(number: int) -> DeadLetter:
    return DeadLetter(
        id=str(number),
        task="measure",
        reason="fits_tiles.Unreadable: gone",
        body={"number": number, "name": f"{number}.fits"},
    )


def test_the_mock_sky_is_surveyed_completely_purely_and_without_bias(example: Path) -> None:
    result = run(example, mock_tiles=2, mock_size=500)
    report = json.loads(result.product["report.json"])
    truth = report["truth"]
    # Measured: 0.99 and more for those brighter than 21.5; 0.2 % false; bias -0.002, pull 1.1, 0.03 arc seconds.
    assert all(found > 0.93 for start, found in truth["completeness"].items() if float(start) < 21.5)
    assert truth["completeness"]["22.5"] > 0.8
    assert truth["completeness"]["25.0"] < 0.02
    assert truth["purity"] > 0.98
    assert abs(truth["magnitude_bias"]) < 0.015
    assert truth["magnitude_scatter"] < 0.06
    assert 0.8 < truth["magnitude_pull"] < 1.3
    assert truth["position_error_arcsec"] < 0.06
    assert report["duplicates"] > 30
    assert report["repeatability"] < 0.12


def test_every_star_is_in_the_catalogue_once(example: Path, tiles: Path) -> None:
    result = run(example, tiles)
    report = json.loads(result.product["report.json"])
    rows = list(csv.DictReader(io.StringIO(result.product["catalogue.csv"])))
    with fits.open(io.BytesIO(result.product["catalogue.fits"])) as hdus:
        table = hdus[1].data
        assert hdus[1].columns["ra"].unit == "deg"
        assert [float(row["ra"]) for row in rows] == table["ra"].tolist()
        assert [row["tile"] for row in rows] == [name.strip() for name in table["tile"]]
    assert len(rows) == report["sources"] == sum(tile["sources"] for tile in report["tiles"]) - report["duplicates"]
    assert {row["seen"] for row in rows} == {"1", "2", "4"} | ({"3"} & {row["seen"] for row in rows})
    assert "truth" not in report


def test_a_survey_of_files_is_compared_with_a_truth_that_is_given(example: Path, tiles: Path) -> None:
    one = run(example, tiles / "tile-000.fits", tiles / "tile-003.fits", truth=str(tiles / "truth.csv"))
    report = json.loads(one.product["report.json"])
    assert [tile["name"] for tile in report["tiles"]] == ["tile-000.fits", "tile-003.fits"]
    assert report["truth"]["purity"] > 0.98
    assert report["truth"]["completeness"]["20.0"] > 0.9  # of the stars on these two tiles, not of all in the file


def test_a_broken_tile_is_missing_and_the_others_make_the_catalogue(example: Path, tiles: Path, tmp_path: Path) -> None:
    whole = tiles.joinpath("tile-001.fits").read_bytes()
    tmp_path.joinpath("cut.fits").write_bytes(whole[: len(whole) // 2])
    result = run(example, tiles / "tile-000.fits", tmp_path / "cut.fits")
    report = json.loads(result.product["report.json"])
    assert report["missing"] == [
        {"name": "cut.fits", "reason": "the file is cut short: its image is smaller than the header says"}
    ]
    assert [letter.task for letter in result.dead_letters] == ["measure"]
    assert report["sources"] > 50
    assert str(tmp_path) not in "".join(str(content) for content in result.product.values())


def test_the_catalogue_is_the_same_in_whatever_order_the_tiles_come(example: Path, tiles: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("broken.fits").write_bytes(b"no image")
    inputs = [*sorted(tiles.glob("tile-*.fits"))[:3], tmp_path / "broken.fits"]
    product = check_order_independence(str(example), inputs=inputs, seeds=1)
    assert json.loads(product["report.json"])["missing"][0]["name"] == "broken.fits"


def test_what_was_replayed_with_success_is_missing_no_more() -> None:
    survey = Survey([Path("0.fits"), Path("1.fits")])
    list(survey.advance(outcome(0)))
    list(survey.buried(letter(1)))
    assert json.loads(survey.assemble()["report.json"])["missing"] == [{"name": "1.fits", "reason": "gone"}]
    assert survey.summary() == {"tiles": 1, "missing": 1}
    list(survey.advance(outcome(1)))
    assert survey.summary() == {"tiles": 2, "missing": 0}


def test_a_survey_that_found_nothing_is_a_catalogue_without_rows() -> None:
    survey = Survey([Path("0.fits")])
    list(survey.buried(letter(0)))
    product = survey.assemble()
    assert str(product["catalogue.csv"]).startswith("ra,dec,mag,mag_error,x,y,flags,seen,tile")
    assert json.loads(product["report.json"])["sources"] == 0


def test_folders_give_their_fits_files_under_ids_that_are_allowed(tmp_path: Path) -> None:
    for name in ("b b.FITS", "a.fits.fz", "sub/c.fit", "notes.txt"):
        path = tmp_path / "night" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    events: list[Event] = list(Survey([tmp_path / "night", tmp_path / "any.name"]).start())
    assert [event.body.name for event in events] == ["night/a.fits.fz", "night/b b.FITS", "night/sub/c.fit", "any.name"]
    assert len({check_event_id(event.id) for event in events}) == 4


def test_wrong_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mock_tiles is 0"):
        Survey(mock_tiles=0)
    with pytest.raises(FileNotFoundError, match="holds no FITS files"):
        list(Survey([tmp_path]).start())
    tmp_path.joinpath("truth.csv").write_text("ra,dec,magnitude\n1,2,3\n")
    with pytest.raises(ValueError, match="has no column 'mag'"):
        Survey([tmp_path], truth=str(tmp_path / "truth.csv"))
