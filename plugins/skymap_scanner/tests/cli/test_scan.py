"""`skymap-scanner scan` as a user runs it, on real brokers and pilots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skymap_scanner.cli.main import main
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native

PROGRAM = str(Path(sys.executable).with_name("skymap-scanner"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pulses = np.array([(20, om, 10_000.0 + 60.0 * om, 2.0, 1.0, 1) for om in range(10, 30)], dtype=PULSE)
    header = EventHeader(run_id=118_000, event_id=7, mjd=58_000.25, event_type="gold", is_real=False)
    tmp_path.joinpath("event.json").write_bytes(native.dumps(Alert(header=header, pulses=pulses)))
    tmp_path.joinpath("text.txt").write_text("no event")
    tmp_path.joinpath("cut.json").write_text('{"value": {"data": [["P", "eJz')
    return tmp_path


def scanner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def test_a_scan_leaves_its_files(folder: Path) -> None:
    ended = scanner(
        folder,
        "scan",
        "event.json",
        "--reco",
        "dummy",
        "--nsides",
        "1:0 2:5",
        "--no-plots",
        "--out",
        "out",
        "--workers",
        "1",
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("run 118000 event 7: ra ")
    assert "files in out/product" in ended.stdout
    summary = json.loads(folder.joinpath("out", "summary.json").read_text())
    assert set(summary["best_fit"]) >= {"ra", "dec"}
    assert summary["classification"]["kind"] in {"track", "cascade"}
    assert folder.joinpath("out", "product", "run00118000.evt000000000007.gold_1_2.json").exists()
    again = scanner(folder, "scan", "event.json", "--reco", "dummy", "--out", "out")
    assert again.returncode == 2
    assert "out holds a workflow already" in again.stderr


@pytest.mark.parametrize("nsides", ["1:0 2:12", pytest.param("1:0 2:12 4:12", marks=pytest.mark.soak)])
def test_crashes_and_nans_change_nothing(folder: Path, nsides: str) -> None:
    """As many processes die as in the worst of nights; the map is that of a quiet one."""
    options = ("--nsides", nsides, "--no-plots", "--max-failures", "15", "--workers", "2")
    assert scanner(folder, "scan", "event.json", "--reco", "dummy", "--out", "quiet", *options).returncode == 0
    ended = scanner(folder, "scan", "event.json", "--reco", "crash_dummy", "--out", "wild", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    retried = json.loads(folder.joinpath("wild", "summary.json").read_text())["events"]["retried"]
    assert retried > 5
    levels = "_".join(level.partition(":")[0] for level in nsides.split())
    name = f"run00118000.evt000000000007.gold_{levels}.json"
    wild, quiet = (folder.joinpath(scan, "product", name).read_text() for scan in ("wild", "quiet"))
    assert wild.replace("crash_dummy", "dummy") == quiet


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.json"], "missing.json does not exist"),
        (["text.txt"], "text.txt: neither JSON nor a pickle"),
        (["cut.json"], "cut.json: neither JSON nor a pickle"),
        (["event.json", "--reco", "mpee"], "reconstruction 'mpee' is unknown; did you mean 'mpe'?"),
        (["event.json", "--nsides", "8:0,100:4"], "100 in '100:4' is not a power of two"),
        (["event.json", "--nsides", "64:0,8:4"], "8 follows 64; go from coarse to fine"),
        (["event.json", "--policy", "best"], "policy 'best' is unknown"),
        (["event.json", "--max-failures", "0"], "--max-failures is 0"),
        (["event.json", "--workers", "0"], "workers = 0"),
        (["event.json", "event.json"], "two events are called event"),
        (["event.json", "text.txt"], "text.txt: neither JSON nor a pickle"),
    ],
)
def test_wrong_input_gets_one_line(
    folder: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["skymap-scanner", "scan", *arguments, "--no-plots"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_help_names_every_command(folder: Path) -> None:
    ended = scanner(folder, "--help")
    assert ended.returncode == 0
    for command in ("scan", "inspect", "convert", "simulate", "plot", "compare", "coverage"):
        assert command in ended.stdout
