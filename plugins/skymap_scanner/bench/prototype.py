"""Speed and minima per pixel against the prototype, on the same event, pixels and seeds: `python bench/prototype.py`.

It needs the prototype and the real alerts of `../shared` beside the repository.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.hits import hits_of
from skymap_scanner.physics import track
from skymap_scanner.reading import load_alert
from skymap_scanner.recos.base import Pixel, Vertex
from skymap_scanner.recos.mpe import Mpe

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
sys.path.insert(0, str(SHARED / "reference" / "skymap"))

EVENTS = {
    "138632": "138632_31747601.json",
    "BRONZE": "run00136662-evt000035405932-BRONZE.pkl",
    "hese00": "hese_event_00.json",
}
PROGRESSION = ((8, 0), (64, 12), (512, 24))
Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One nside of one event: -log L of both under our likelihood."""

    nside: int
    theirs: Array
    ours: Array
    their_seconds: float
    our_seconds: float

    def __str__(self) -> str:
        worse = self.ours - self.theirs
        n, per_pixel = len(worse), 1e6 / len(worse)
        return (
            f"{self.nside:4d} | {n:4d} | {self.their_seconds * per_pixel:6.0f} | {self.our_seconds * per_pixel:5.0f} "
            f"| {self.their_seconds / self.our_seconds:5.1f} | {np.mean(worse <= 0.05):6.1%} | {np.mean(worse > 0.05):5.1%} "
            f"| {np.mean(worse < -0.05):5.1%} | {np.median(worse):+.3f} | {np.mean(worse):+.2f}"
        )


def scan(path: Path) -> list[Level]:
    """Scan with the prototype; at each level give its pixels and its seeds to ours as well."""
    import healpy as hp

    hits, i3decode, prototype_scan, prototype_track = map(import_module, ("hits", "i3decode", "scan", "track"))

    event = i3decode.Event.load(path)
    theirs = prototype_track.TrackLikelihood(hits.prepare(event.in_ice()))
    reco = Mpe(load_alert(path))
    assert len(theirs.x) == len(hits_of(load_alert(path)))
    levels: list[Level] = []
    rows: Any = None
    coarse = 0
    for nside, extend in PROGRESSION:
        if rows is None:
            index, start, seeds = np.arange(hp.nside2npix(nside)), None, prototype_scan.SEEDS3
        else:
            best = np.array(hp.pix2vec(coarse, rows["index"][np.argmin(rows["llh"])]))
            around = prototype_scan.nearest(coarse, best, np.arange(hp.nside2npix(coarse)), extend + 1)
            index = np.sort(prototype_scan.children(coarse, around, nside))
            parent = hp.ang2pix(coarse, *hp.pix2ang(nside, index))
            at = np.minimum(np.searchsorted(rows["index"], parent), len(rows) - 1)
            at = np.where(rows["index"][at] == parent, at, np.argmin(rows["llh"]))
            start = (np.stack([rows["X"][at], rows["Y"][at], rows["Z"][at]], axis=1), rows["T"][at])
            seeds = prototype_track.SEEDS7[:1]
        zenith, azimuth = prototype_scan.pixel_directions(nside, index, event.header.start_mjd)
        began = time.process_time()
        llh, position, when = prototype_track.profile(theirs, zenith, azimuth, seeds=seeds, start=start)
        their_seconds = time.process_time() - began
        pixels = [
            Pixel(nside=nside, index=int(i), zenith=float(z), azimuth=float(a), seeds=(_seed(reco, start, k),))
            for k, (i, z, a) in enumerate(zip(index, zenith, azimuth, strict=True))
        ]
        began = time.process_time()
        answers = reco.reconstruct(pixels)
        our_seconds = time.process_time() - began
        levels.append(
            Level(
                nside=nside,
                theirs=_under_ours(reco, zenith, azimuth, position, when),
                ours=np.array([answer.llh for answer in answers]),
                their_seconds=their_seconds,
                our_seconds=our_seconds,
            )
        )
        rows = np.zeros(len(index), prototype_scan.ROW)
        rows["index"], rows["llh"], rows["T"] = index, llh, when
        rows["X"], rows["Y"], rows["Z"] = position.T
        coarse = nside
    return levels


def _seed(reco: Mpe, start: tuple[Array, Array] | None, k: int) -> Vertex:
    if start is None:
        return reco.fallback()
    x, y, z = start[0][k].tolist()
    return Vertex(x=x, y=y, z=z, time=float(start[1][k]))


def _under_ours(reco: Mpe, zenith: Array, azimuth: Array, position: Array, when: Array) -> Array:
    """-log L of the prototype's tracks as our tables have it (its own are interpolated more coarsely)."""
    from skymap_scanner.physics.profile import across

    llh, at = np.empty(len(zenith)), np.empty(3)
    vertices = np.column_stack([position - reco.model.centre, when - reco.model.middle])
    for k, vertex in enumerate(vertices):
        axes = track.frame(zenith[k], azimuth[k])
        across(axes, vertex, at)
        llh[k] = track.value(track.seen_along(reco.model, axes), at)
    return llh


def main() -> None:
    """Print one table."""
    warm = Mpe(load_alert(SHARED / "events" / EVENTS["hese00"]))
    warm.reconstruct([Pixel(nside=8, index=0, zenith=1.0, azimuth=1.0, seeds=(warm.fallback(),))])
    print("event | nside | pixels | prototype us | ours us | faster | at most 0.05 above | worse | better | median | mean")
    print("--- | --- | --- | --- | --- | --- | --- | --- | --- | --- | ---")
    for name, file in EVENTS.items():
        levels = scan(SHARED / "events" / file)
        for level in levels:
            print(f"{name} | {level}", flush=True)
        total = sum(level.their_seconds for level in levels) / sum(level.our_seconds for level in levels)
        print(f"{name} | all | {sum(len(level.ours) for level in levels)} | | | {total:.1f} | | | | |", flush=True)


if __name__ == "__main__":
    main()
