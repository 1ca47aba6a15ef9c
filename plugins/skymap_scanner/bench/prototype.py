"""Speed and minima per pixel against the prototype, on the same event and pixels: `python bench/prototype.py`.

Twice: as a scan does it, where ours makes the searches that it thinks necessary, and as the prototype does it: exactly its
searches, from its start points, by its steps and until its end, with Newton steps behind. Processor time, the shortest of a
few rounds in which all three take turns. It needs the prototype and the real alerts of `../shared` beside the repository.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.hits import hits_of
from skymap_scanner.physics import newton, profile, simplex, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.model import Model
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
ROUNDS = 2
THEIR_STEPS, THEIR_ROUNDS, THEIR_SPREAD = np.array([30.0, 30.0, 100.0]), 60, 0.02
"""As in the prototype's `profile`."""
Array = NDArray[np.float64]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One nside of one event: -log L under our likelihood, and seconds; of the prototype, a scan and the same searches."""

    nside: int
    llh: tuple[Array, Array, Array]
    seconds: tuple[float, float, float]

    def rows(self) -> list[str]:
        """One for each way."""
        theirs, *others = self.llh
        n, per_pixel = len(theirs), 1e6 / len(theirs)
        rows = []
        for way, llh, seconds in zip(("scan", "same searches"), others, self.seconds[1:], strict=True):
            above = llh - theirs
            rows.append(
                f"{self.nside:4d} | {n:4d} | {way} | {self.seconds[0] * per_pixel:6.0f} | {seconds * per_pixel:5.0f} "
                f"| {self.seconds[0] / seconds:5.1f} | {np.mean(above <= 0.05):6.1%} | {np.mean(above > 0.05):5.1%} "
                f"| {np.mean(above < -0.05):5.1%} | {np.median(above):+.3f} | {np.mean(above):+.2f} "
                f"| {llh.min() - theirs.min():+.3f}"
            )
        return rows


@kernel
def from_starts(model: Model, directions: Array, starts: Array) -> Array:
    """The lowest -log L that one search from each start leads to.

    Parameters
    ----------
    model : the event.
    directions : (n, 2) zenith and azimuth in radians.
    starts : (n, m, 4) x, y, z in m and time in ns, relative to the model's centre and middle.
    """
    many = starts.shape[1]
    ends, values, found = np.empty((many, 3)), np.empty(many), np.empty(len(directions))
    for k in range(len(directions)):
        axes = track.frame(directions[k, 0], directions[k, 1])
        view = track.seen_along(model, axes)
        for i in range(many):
            profile.across(axes, starts[k, i], ends[i])
            profile.start_time(view, ends[i])
            values[i] = simplex.search(view, ends[i], THEIR_STEPS, THEIR_ROUNDS, THEIR_SPREAD)
        best = np.inf
        for i in range(many):
            if values[i] <= values.min() + profile.MARGIN:
                best = min(best, newton.descend(view, ends[i]))
        found[k] = best
    return found


def timed(work: Callable[[], T], before: float) -> tuple[T, float]:
    """What it gives, and the seconds of processor time of the fastest time so far."""
    began = time.process_time()
    found = work()
    return found, min(before, time.process_time() - began)


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
        base = np.zeros((len(index), 3)) if start is None else start[0] - reco.model.centre
        when = np.zeros(len(index)) if start is None else start[1] - reco.model.middle
        starts = _starts(prototype_track, zenith, azimuth, base, when, seeds)
        directions = np.column_stack([zenith, azimuth])
        pixels = [
            Pixel(nside=nside, index=int(i), zenith=float(z), azimuth=float(a), seeds=(_seed(reco, start, k),))
            for k, (i, z, a) in enumerate(zip(index, zenith, azimuth, strict=True))
        ]
        seconds = [np.inf, np.inf, np.inf]
        for _ in range(ROUNDS):
            profiled, seconds[0] = timed(
                partial(prototype_track.profile, theirs, zenith, azimuth, seeds=seeds, start=start), seconds[0]
            )
            answers, seconds[1] = timed(partial(reco.reconstruct, pixels), seconds[1])
            same, seconds[2] = timed(partial(from_starts, reco.model, directions, starts), seconds[2])
        llh, position, when = profiled
        under_ours = _under_ours(reco, zenith, azimuth, position, when)
        levels.append(
            Level(
                nside=nside,
                llh=(under_ours, np.array([answer.llh for answer in answers]), same),
                seconds=(seconds[0], seconds[1], seconds[2]),
            )
        )
        rows = np.zeros(len(index), prototype_scan.ROW)
        rows["index"], rows["llh"], rows["T"] = index, llh, when
        rows["X"], rows["Y"], rows["Z"] = position.T
        coarse = nside
    return levels


def _starts(prototype_track: Any, zenith: Array, azimuth: Array, base: Array, when: Array, seeds: Array) -> Array:
    """The points that the prototype's searches start from, (n, m, 4); relative to centre and middle."""
    e1, e2 = prototype_track.axes(prototype_track.velocity(zenith, azimuth))
    starts = np.empty((len(zenith), len(seeds), 4))
    for i, (along_e1, along_e2) in enumerate(seeds):
        starts[:, i, :3] = base + along_e1 * e1 + along_e2 * e2
        starts[:, i, 3] = when
    return starts


def _seed(reco: Mpe, start: tuple[Array, Array] | None, k: int) -> Vertex:
    if start is None:
        return reco.fallback()
    x, y, z = start[0][k].tolist()
    return Vertex(x=x, y=y, z=z, time=float(start[1][k]))


def _under_ours(reco: Mpe, zenith: Array, azimuth: Array, position: Array, when: Array) -> Array:
    """-log L of the prototype's tracks as our tables have it (its own are interpolated more coarsely)."""
    llh, at = np.empty(len(zenith)), np.empty(3)
    vertices = np.column_stack([position - reco.model.centre, when - reco.model.middle])
    for k, vertex in enumerate(vertices):
        axes = track.frame(zenith[k], azimuth[k])
        profile.across(axes, vertex, at)
        llh[k] = track.value(track.seen_along(reco.model, axes), at)
    return llh


def main() -> None:
    """Print one table."""
    warm = Mpe(load_alert(SHARED / "events" / EVENTS["hese00"]))
    warm.reconstruct([Pixel(nside=8, index=0, zenith=1.0, azimuth=1.0, seeds=(warm.fallback(),))])
    from_starts(warm.model, np.ones((1, 2)), np.zeros((1, 1, 4)))
    print("event | nside | pixels | way | prototype us | ours us | faster ", end="")
    print("| at most 0.05 above | worse | better | median | mean | best pixel")
    print(" | ".join(["---"] * 13))
    for name, file in EVENTS.items():
        levels = scan(SHARED / "events" / file)
        for level in levels:
            for row in level.rows():
                print(f"{name} | {row}", flush=True)
        for i, way in ((1, "scan"), (2, "same searches")):
            total = sum(level.seconds[0] for level in levels) / sum(level.seconds[i] for level in levels)
            pixels = sum(len(level.llh[0]) for level in levels)
            print(f"{name} | all | {pixels} | {way} | | | {total:.1f} | | | | | |", flush=True)


if __name__ == "__main__":
    main()
