"""Real runs, with pilots and a broker: one product, however many pilots there are and whatever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

BIN = Path(sys.executable).parent
DEADLINE = 90.0
LEASE = 2.0
SLOW = """
import time
from skymap_scanner.recos.dummy import Dummy


class Slow(Dummy):
    name = "slow"

    def reconstruct(self, pixels):
        time.sleep(0.01 * len(pixels))
        return super().reconstruct(pixels)
"""
NSIDES = "1:0 2:12 4:12 8:12"
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))]
Product = dict[str, bytes]


class Running:
    """Scans in a folder, by the commands that users have.

    Parameters
    ----------
    folder
        Empty; a package with the reconstruction `slow` is put there, which is found as an installed one would be.
    event
        What is scanned.
    """

    def __init__(self, folder: Path, event: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.event = event
        self.process: subprocess.Popen[str] | None = None
        site = folder / "site"
        distribution = site / "slow_reco-1.0.dist-info"
        distribution.mkdir(parents=True)
        site.joinpath("slow_reco.py").write_text(SLOW)
        distribution.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: slow-reco\nVersion: 1.0\n")
        distribution.joinpath("entry_points.txt").write_text("[skymap_scanner.recos]\nslow = slow_reco:Slow\n")
        self.environment = os.environ | {"PYTHONPATH": str(site)}

    def scan(self, reco: str, *options: str, nsides: str = NSIDES, out: str = "out", expected: int = 0) -> Product:
        """`skymap-scanner scan` to its end; the product."""
        arguments = ["scan", str(self.event), "--reco", reco, "--nsides", nsides, "--no-plots", "--out", out, *options]
        done = subprocess.run(
            [BIN / "skymap-scanner", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return product_in(self.folder / out)

    def start(self) -> None:
        """Begin `ewms run skymap_scanner`, with leases so short that a loss is noticed soon."""
        settings = [f"--set={key}" for key in ("reco=slow", f"nsides={NSIDES}", "plots=false")]
        self._spawn("run", "skymap_scanner", "--input", str(self.event), *settings, "--lease", str(LEASE), "--out", "out")

    def resume(self) -> None:
        """Begin `ewms resume`."""
        self._spawn("resume", "out")

    def _spawn(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [BIN / "ewms", *arguments, "--workers", "2", "--json"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_accepted(self, count: int) -> bool:
        """Whether so many events were accepted before the run was over."""
        assert self.process is not None
        assert self.process.stdout is not None
        return any(json.loads(line)["events"]["accepted"] >= count for line in self.process.stdout)

    def finish(self) -> Product:
        """Wait for the end; the product."""
        assert self.process is not None
        self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0
        return product_in(self.out)

    def kill_driver(self) -> None:
        """SIGKILL; its pilots go with it."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def kill_a_pilot(self, which: random.Random) -> bool:
        """SIGKILL; whether there was one."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            descendants = psutil.Process(self.process.pid).children(recursive=True)
            pilots = [child for child in descendants if "ewms.pilot" in child.cmdline()]
            if pilots:
                which.choice(pilots).kill()
                return True
        return False

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.out / "summary.json").read_text())
        return summary


def product_in(out: Path) -> Product:
    folder = out / "product"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def running(tmp_path: Path, event_file: Path) -> Iterator[Running]:
    scanning = Running(tmp_path, event_file)
    yield scanning
    if scanning.process is not None and scanning.process.poll() is None:
        scanning.kill_driver()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, event_file: Path) -> Product:
    """What one worker makes of it when nobody interferes."""
    return Running(tmp_path_factory.mktemp("undisturbed"), event_file).scan("slow", "--workers", "1")


def pixels_in(product: Product) -> dict[str, int]:
    pixels: dict[str, int] = json.loads(product["best_fit.json"])["pixels"]
    return pixels


def test_one_and_eight_workers(running: Running, undisturbed: Product) -> None:
    assert list(pixels_in(undisturbed)) == ["1", "2", "4", "8"]
    assert running.scan("slow", "--workers", "8") == undisturbed


def test_levels_that_begin_early(running: Running, undisturbed: Product) -> None:
    assert running.scan("slow", "--workers", "4", "--predictive-threshold", "0.65") == undisturbed


@pytest.mark.parametrize("seed", SEEDS)
def test_pilots_killed_at_random_moments(running: Running, undisturbed: Product, seed: int) -> None:
    moments = random.Random(seed)
    running.start()
    killed = 0
    for count in sorted(moments.sample(range(sum(pixels_in(undisturbed).values())), 3)):
        if running.wait_accepted(count):
            killed += running.kill_a_pilot(moments)
    assert running.finish() == undisturbed
    assert killed > 0
    assert running.summary()["events"]["accepted"] == sum(pixels_in(undisturbed).values()) + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_drivers_killed_at_random_moments(running: Running, undisturbed: Product, seed: int) -> None:
    moments = random.Random(seed)
    running.start()
    killed = 0
    for count in sorted(moments.sample(range(sum(pixels_in(undisturbed).values())), 3)):
        if running.wait_accepted(count):
            running.kill_driver()
            running.resume()
            killed += 1
    assert running.finish() == undisturbed
    assert killed > 0
    assert running.summary()["events"]["accepted"] == sum(pixels_in(undisturbed).values()) + 1
