"""icecube-skyreader, the collaboration's own reader, loads our results and plots them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from skymap_scanner.maps import summary
from skymap_scanner.outputs.skyreader import to_json
from skymap_scanner.result import ScanResult

Reader = Callable[[str], ModuleType]


@pytest.fixture
def results(reader: Reader, folder: Path) -> tuple[Any, Any]:
    """From JSON and from NPZ."""
    result = reader("skyreader").SkyScanResult
    return result.read_json(folder / "gold_8_64_256.json"), result.read_npz(folder / "gold_8_64_256.npz")


def test_both_formats_hold_the_same_scan(results: tuple[Any, Any]) -> None:
    one, other = results
    assert one.is_close(other)
    assert other.is_close(one)
    for result in results:
        assert result.nsides == [8, 64, 256]
        assert result.get_nside_string() == "8_64_256"


def test_best_direction_and_event_are_ours(results: tuple[Any, Any], folder: Path) -> None:
    numbers = json.loads((folder / "best_fit.json").read_text())["best_fit"]
    for result in results:
        assert np.degrees(result.best_dir) == pytest.approx([numbers["ra"], numbers["dec"]])
        assert result.min_llh == numbers["llh"]
        event = result.get_event_metadata()
        assert (event.run_id, event.event_id, event.event_type) == (138632, 31747601, "gold")
        assert (event.mjd, event.is_real_event, event.version) == (60051.25, True, 1)


@pytest.mark.filterwarnings("ignore")  # its plots warn of a dozen things of matplotlib, healpy and astropy
def test_it_plots_our_scan_and_finds_our_areas(
    reader: Reader, make_scan: Callable[..., ScanResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = make_scan(57.3, 17.2, major=4.0, minor=3.0, nsides=((8, 0), (64, 12)))
    (tmp_path / "scan.json").write_text(to_json(scan))
    result = reader("skyreader").SkyScanResult.read_json(tmp_path / "scan.json")
    plotter = reader("skyreader.plot").SkyScanPlotter(output_dir=tmp_path)
    plotter.create_plot_zoomed(result)
    plotter.create_plot(result)
    assert len(list(tmp_path.glob("*.pdf"))) == 2
    printed = re.findall(r"Contour Area \((\d+)%\): ([\d.]+)", capsys.readouterr().out)
    numbers = summary(scan)["contours"]["wilks"]
    assert {key: float(area) for key, area in printed} == {
        key: pytest.approx(numbers[key]["area"], rel=0.03) for key in ("50", "90")
    }
