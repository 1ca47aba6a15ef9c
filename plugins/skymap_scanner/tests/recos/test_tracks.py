from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import healpix  # type: ignore[import-untyped]
import numpy as np
import pytest
from numpy.typing import NDArray

from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert, EventHeader, PublishedFit
from skymap_scanner.physics.direction import free_minimum, llh_at
from skymap_scanner.pulses import PULSE
from skymap_scanner.recos.base import Answer, Pixel, Vertex
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.recos.spe import Spe
from skymap_scanner.recos.track import TrackReco

HEADER = EventHeader(run_id=118_000, event_id=7, mjd=58_000.25)
BRONZE, TRACK = "run00136662-evt000035405932-BRONZE.pkl", "138632_31747601.json"
HESE = ["event_HESE_2017-11-28.json", "hese_event_00.json", "hese_event_01.json"]


def separation(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Degrees between two (zenith, azimuth)."""
    cosine = np.cos(a[0]) * np.cos(b[0]) + np.sin(a[0]) * np.sin(b[0]) * np.cos(a[1] - b[1])
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def fit_of(alert: Alert, ending: str) -> PublishedFit:
    return next(fit for fit in alert.fits if fit.name.lower().endswith(ending))


def pixels_of(nside: int, index: NDArray[np.int64], seed: Vertex) -> list[Pixel]:
    """Pixels of a map in local coordinates."""
    zenith, azimuth = healpix.pix2ang(nside, index)
    return [
        Pixel(nside=nside, index=int(i), zenith=float(z), azimuth=float(a), seeds=(seed,))
        for i, z, a in zip(index, zenith, azimuth, strict=True)
    ]


def children(best: Pixel, count: int, nside: int) -> NDArray[np.int64]:
    """Pixels of a finer map inside the `count` nearest to the best pixel."""
    centres = np.stack(healpix.pix2vec(best.nside, np.arange(12 * best.nside**2)), axis=-1)
    near = np.argsort(-centres @ centres[best.index])[:count]
    inside = (nside // best.nside) ** 2
    nested = healpix.ring2nest(best.nside, near)[:, None] * inside + np.arange(inside)
    return np.asarray(healpix.nest2ring(nside, nested.ravel()))


def scan(reco: TrackReco) -> tuple[Pixel, Answer]:
    """The best pixel of a small scan."""
    pixels = pixels_of(8, np.arange(768), reco.fallback())
    best, answer = _best(reco, pixels)
    for nside, count in ((64, 12), (512, 24)):
        best, answer = _best(reco, pixels_of(nside, children(best, count, nside), answer.vertex))
    return best, answer


def _best(reco: TrackReco, pixels: list[Pixel]) -> tuple[Pixel, Answer]:
    return min(zip(pixels, reco.reconstruct(pixels), strict=True), key=lambda pair: pair[1].llh)


@pytest.mark.parametrize("name", [TRACK, BRONZE])
def test_mpe_scan_agrees_with_splinempe_on_real_tracks(real_alert: Callable[[str], Alert], name: str) -> None:
    alert = real_alert(name)
    fit = fit_of(alert, "splinempe")
    reco = Mpe(alert)
    best, answer = scan(reco)
    assert separation((best.zenith, best.azimuth), (fit.zenith, fit.azimuth)) < 0.3
    assert 2 * (llh_at(reco.model, fit.zenith, fit.azimuth) - answer.llh) < 1.39  # inside the 50 % contour


@pytest.mark.parametrize("name", [TRACK, BRONZE, *HESE])
def test_spe_reproduces_the_published_spefit(real_alert: Callable[[str], Alert], name: str) -> None:
    alert = real_alert(name)
    fit = fit_of(alert, "spefit2")
    reco = Spe(alert)
    assert fit.ndof is not None
    assert len(reco.model.time) == fit.ndof + 5
    best = free_minimum(reco.model)
    assert best.llh == pytest.approx(fit.llh, rel=0.01)
    assert separation((best.zenith, best.azimuth), (fit.zenith, fit.azimuth)) < 0.5


@pytest.mark.parametrize("reco", [Mpe, Spe])
def test_answers_are_the_same_one_by_one(real_alert: Callable[[str], Alert], reco: type[TrackReco]) -> None:
    ready = reco(real_alert("hese_event_00.json"))
    near = Vertex(x=0.0, y=-150.0, z=300.0, time=10_000.0)
    pixels = [
        Pixel(nside=nside, index=k, zenith=0.3 + 0.4 * k, azimuth=0.9 * k, seeds=seeds)
        for k, (nside, seeds) in enumerate(
            [(8, (ready.fallback(),)), (64, (near,)), (512, (near, ready.fallback())), (512, ())]
        )
    ]
    together = ready.reconstruct(pixels)
    assert together == [answer for pixel in pixels for answer in ready.reconstruct([pixel])]
    assert together == reco(real_alert("hese_event_00.json")).reconstruct(pixels[::-1])[::-1]


def test_no_pixels_no_answers(real_alert: Callable[[str], Alert]) -> None:
    assert Mpe(real_alert("hese_event_00.json")).reconstruct([]) == []


@pytest.mark.parametrize("reco", [Mpe, Spe])
def test_an_event_without_pulses_is_refused(reco: type[TrackReco]) -> None:
    with pytest.raises(NoSignal, match="run 118000 event 7"):
        reco(Alert(header=HEADER, pulses=np.empty(0, PULSE)))


def test_an_event_of_two_modules_gets_finite_answers() -> None:
    pulses = np.array([(20, om, 1e4 + 50.0 * om, 3.0, 1.0, 1) for om in (20, 21)], PULSE)
    reco = Mpe(Alert(header=HEADER, pulses=pulses))
    (answer,) = reco.reconstruct([Pixel(nside=1, index=0, zenith=1.0, azimuth=1.0, seeds=(reco.fallback(),))])
    assert np.isfinite([answer.llh, answer.vertex.x, answer.vertex.y, answer.vertex.z, answer.vertex.time]).all()
    assert np.isnan([answer.e_in, answer.e_tot]).all()


@pytest.mark.parametrize("module", ["mpe", "spe", "cascade"])
def test_workers_load_nothing_heavy(module: str) -> None:
    code = f"import sys, skymap_scanner.recos.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert not {"scipy.special", "healpy", "healpix", "astropy", "matplotlib"} & set(loaded)
