"""All files of a scan together."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skymap_scanner.outputs import product_files
from skymap_scanner.outputs.skyreader import to_npz
from skymap_scanner.result import ScanResult

BASE = "run00138632.evt000031747601.gold_8_64_512"


def test_files_of_a_scan(make_scan: Callable[..., ScanResult]) -> None:
    files = product_files(make_scan(57.3, 17.2), plots=False)
    contours = {f"{BASE}.contour_{key}.txt" for key in ("50", "90", "3sigma")}
    assert contours <= files.keys()
    assert {f"{BASE}.moc_{key}.fits" for key in ("50", "90", "3sigma")} <= files.keys()
    assert {"best_fit.json", f"{BASE}.json", f"{BASE}.npz", f"{BASE}.multiorder.fits", f"{BASE}.notice.json"} <= files.keys()
    assert not [name for name in files if name.endswith((".png", ".pdf", ".gz"))]
    assert not [name for name in files if "millipede" in name]
    found = json.loads(files["best_fit.json"])
    assert found["best_fit"]["ra"] == pytest.approx(57.3, abs=0.1)


def test_flat_maps_only_when_asked_for(make_scan: Callable[..., ScanResult]) -> None:
    files = product_files(make_scan(57.3, 17.2, nsides=((8, 0), (64, 12))), plots=False, flat=True)
    assert {name.partition("nside_")[2] for name in files if name.endswith(".gz")} == {
        "64_llh.fits.gz",
        "64_probability.fits.gz",
    }


def test_millipede_has_its_own_contours(make_scan: Callable[..., ScanResult]) -> None:
    files = product_files(dataclasses.replace(make_scan(57.3, 17.2), reco="millipede_original"), plots=False)
    assert f"{BASE}.contour_90.millipede_ic160427a.txt" in files


def test_same_scan_same_bytes_whatever_the_order_of_rows(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    once, again = product_files(scan, plots=False), product_files(make_scan(57.3, 17.2), plots=False)
    assert once == again


@pytest.mark.parametrize("kind", ["shower", "cascade reconstruction", "empty"])
def test_without_direction_nothing_pretends_one(make_scan: Callable[..., ScanResult], kind: str) -> None:
    scan = make_scan(57.3, 17.2, nsides=((8, 0),))
    if kind == "cascade reconstruction":
        scan = dataclasses.replace(scan, reco="cascade", gives_direction=False)
    if kind == "empty":
        scan = dataclasses.replace(scan, levels={8: scan.levels[8][:0]}, complete=False)
    classification = SimpleNamespace(kind="cascade") if kind == "shower" else None
    files = product_files(scan, plots=False, classification=classification)
    base = "run00138632.evt000031747601.gold_8"
    assert set(files) == {"best_fit.json", f"{base}.json", f"{base}.npz"}
    found = json.loads(files["best_fit.json"])
    assert found["best_fit"] is None
    assert found["note"]


def test_partial_scan_has_maps_but_no_notice(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    rows = scan.levels[512].copy()
    rows["llh"][::3] = np.nan
    partial = dataclasses.replace(scan, levels={8: scan.levels[8], 512: rows[:700]}, complete=False)
    files = product_files(partial, plots=False)
    assert "run00138632.evt000031747601.gold_8_512.multiorder.fits" in files
    assert not [name for name in files if "notice" in name]


def test_event_without_number_has_no_notice(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    unknown = dataclasses.replace(scan, header=dataclasses.replace(scan.header, run_id=0, event_id=0))
    assert not [name for name in product_files(unknown, plots=False) if "notice" in name]


def test_without_plots_no_matplotlib_and_no_healpy(make_scan: Callable[..., ScanResult], tmp_path: Path) -> None:
    (tmp_path / "scan.npz").write_bytes(to_npz(make_scan(57.3, 17.2)))
    code = (
        "import sys, pathlib; from skymap_scanner.outputs import product_files, read_result;"
        "files = product_files(read_result(pathlib.Path(sys.argv[1])), plots=False);"
        "print(len(files), [name for name in ('matplotlib', 'healpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "scan.npz")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "15 []\n"


def test_memory_goes_with_the_pixels_not_with_nside(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2, major=0.04, minor=0.02, nsides=((8, 0), (64, 12), (512, 24), (4096, 24)))
    tracemalloc.start()
    files = product_files(scan, plots=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000
    assert sum(len(content) for content in files.values()) < 3_000_000
    area = json.loads(files["best_fit.json"])["contours"]["wilks"]["90"]["area"]
    assert area == pytest.approx(4.61 * np.pi * 0.04 * 0.02, rel=0.02)
