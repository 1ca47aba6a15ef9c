"""The scan of one event, for `ewms run skymap_scanner --input EVENT` and all that stands on it."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms import Application, DeadLetter, Event, Outcome, TaskSpec
from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert
from skymap_scanner.reading import load_alert, native
from skymap_scanner.recos.base import Answer, Pixel
from skymap_scanner.recos.program import HITS_FILE, hits_table
from skymap_scanner.recos.registry import check_reco, is_program, reco_class
from skymap_scanner.result import ScanResult
from skymap_scanner.scanning.consumer import EVENT_FILE, RECO_FILE
from skymap_scanner.scanning.policies import policy_of
from skymap_scanner.scanning.progression import DEFAULT, Progression
from skymap_scanner.scanning.rounds import Rounds
from skymap_scanner.scanning.seeding import Seeding, pixel_id
from skymap_scanner.scanning.status import status_of

Product = Mapping[str, str | bytes]
_CLASSIFY = "classify"
DEFAULT_RECO = "mpe"
"""Name of the reconstruction unless another is asked for."""
RECONSTRUCT = "reconstruct"
"""The task that answers pixels."""


class Scan(Application[Event, Outcome, Product]):
    """A map of where on the sky one event came from.

    Parameters
    ----------
    inputs
        One file: an alert, or an event in the plugin's own JSON.
    reco
        Name of a reconstruction.
    nsides
        The progression, `nside:extension` items from coarse to fine; for `adaptive`, its first and last nside count.
    policy
        `progression`, or `adaptive`: refine by probability until the 90 % area is stable.
    pointed
        `RA,DEC` in degrees, or the name of a published fit: scan the first level near there only. Empty: the whole sky.
    predictive_threshold
        Part of a level, 0.1 to 1, that must be finished before the next one is begun on trial.
    plots
        Whether to draw.
    """

    name = "skymap"
    tasks = (
        TaskSpec(
            name=RECONSTRUCT,
            python="skymap_scanner.scanning.consumer:Reconstruct",
            input="pixels",
            output=("answers",),
        ),
        TaskSpec(
            name=_CLASSIFY, python="skymap_scanner.scanning.consumer:classify", input="events", output=("classifications",)
        ),
    )

    def __init__(
        self,
        inputs: Sequence[Path] = (),
        *,
        reco: str = DEFAULT_RECO,
        nsides: str = DEFAULT,
        policy: str = "progression",
        pointed: str = "",
        predictive_threshold: float = 1.0,
        plots: bool = True,
    ) -> None:
        super().__init__(inputs)
        if len(self.inputs) != 1:
            raise ScanError(f"a scan takes one event, not {len(self.inputs)}; give one file with --input")
        if not 0.1 <= predictive_threshold <= 1.0:
            raise ScanError(f"predictive_threshold is {predictive_threshold}; it is a part of a level, from 0.1 to 1")
        self.alert = load_alert(self.inputs[0])
        self._reco = check_reco(reco)
        self._progression = Progression.parse(str(nsides))
        self._policy = policy_of(policy, self._progression, pointed, self.alert)
        self._threshold = predictive_threshold
        self._guess_at = predictive_threshold
        self._plots = plots
        self._draws = False
        self._classification: dict[str, Any] | None = None

    @classmethod
    def prepare(cls) -> None:
        """Load what the first scan and its product would wait for."""
        from skymap_scanner.scanning.warming import warm_outputs

        warm_outputs()

    def context(self) -> Mapping[str, bytes]:
        """The event and what to do with it."""
        files = {EVENT_FILE: native.dumps(self.alert), RECO_FILE: self._reco.encode()}
        return files | {HITS_FILE: hits_table(self.alert)} if is_program(self._reco) else files

    def start(self) -> Iterator[Event]:
        """The first round, and what kind of event it is: that takes as long as many pixels, and the map is not to wait."""
        yield from _events(self._begun[1])
        yield Event(id=_CLASSIFY, queue="events")

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """The next round, when this answer was the last of one, or some of it on trial."""
        if outcome.task == _CLASSIFY:
            self._classification = outcome.value
            return ()
        return self._after(outcome.id, msgspec.convert(outcome.value, Answer))

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """A pixel that cannot be reconstructed counts as one without value."""
        return () if letter.task == _CLASSIFY else self._after(letter.id, None)

    def assemble(self) -> Product:
        """All files of the map."""
        from skymap_scanner.outputs import product_files

        return product_files(self.result(), plots=self._plots, classification=self.classification)

    def snapshot(self) -> Product | None:
        """The map so far: its pixels, its numbers, and a picture on all but the first, which is to come soon."""
        result = self.result()
        if not result.levels:
            return None
        from skymap_scanner.outputs import partial_files

        draws, self._draws = self._draws, self._plots
        return partial_files(result, plots=draws, classification=self.classification)

    def status(self) -> str:
        """How far each level is, and the best direction so far."""
        return status_of(self._rounds)

    def summary(self) -> Mapping[str, Any]:
        """The map in numbers."""
        from skymap_scanner.maps import summary

        found = summary(self.result(), classification=self.classification)
        found["classification"] = self._classification or {"kind": "unknown"}
        if self.alert.truth is not None and found["best_fit"] is not None:
            found["degrees_from_truth"] = degrees_from_truth(self.alert, found["best_fit"])
        return found

    @property
    def classification(self) -> Any:
        """Of the event, with `kind`; None while it is not known."""
        from types import SimpleNamespace

        return None if self._classification is None else SimpleNamespace(**self._classification)

    def result(self) -> ScanResult:
        """The scan as far as it has come: rounds that are over, and the finished pixels of the current one."""
        rounds = self._rounds
        return ScanResult(
            header=self.alert.header,
            reco=self._reco,
            levels=rounds.sky.rows() if rounds.complete else rounds.so_far().rows(),
            complete=rounds.complete,
            fits=self.alert.fits,
            gives_direction=reco_class(self._reco).gives_direction,
        )

    @functools.cached_property
    def _begun(self) -> tuple[Rounds, list[Pixel]]:
        """Made when it is first needed, which is after the pilots were started: reconstructions take a moment to load."""
        from skymap_scanner.detector.coordinates import to_local
        from skymap_scanner.hits import hits_of

        alert: Alert = self.alert
        seeding = Seeding(
            reco_class(self._reco)(alert),
            functools.partial(hits_of, alert),
            lambda ra, dec: to_local(ra, dec, alert.header.mjd),
        )
        rounds = Rounds(self._policy, seeding)
        return rounds, rounds.begin()

    @property
    def _rounds(self) -> Rounds:
        return self._begun[0]

    def _after(self, event_id: str, answer: Answer | None) -> Iterable[Event]:
        required = self._rounds.take(event_id, answer)
        if required:
            self._guess_at = self._threshold
            return _events(required)
        return _events(self._on_trial())

    def _on_trial(self) -> list[Pixel]:
        """What the next round will probably be, each time that another tenth of this one is finished."""
        rounds = self._rounds
        if self._guess_at >= 1.0 or rounds.finest in {0, self._progression.nsides[-1]} or rounds.fraction < self._guess_at:
            return []
        self._guess_at = (math.floor(10 * rounds.fraction + 1e-9) + 1) / 10
        return rounds.guess()


def degrees_from_truth(alert: Alert, best: Mapping[str, float]) -> float:
    """Return the angle in degrees between a best fit (ra, dec in degrees) and where a simulated event came from."""
    from skymap_scanner.detector.coordinates import to_equatorial

    if alert.truth is None:
        return math.nan
    ra, dec = (float(angle) for angle in to_equatorial(alert.truth.zenith, alert.truth.azimuth, alert.header.mjd))
    other_ra, other_dec = math.radians(best["ra"]), math.radians(best["dec"])
    half = math.sin((dec - other_dec) / 2) ** 2 + math.cos(dec) * math.cos(other_dec) * math.sin((ra - other_ra) / 2) ** 2
    return math.degrees(2 * math.asin(math.sqrt(half)))


def _events(pixels: Iterable[Pixel]) -> Iterator[Event]:
    return (Event(id=pixel_id(pixel), body=pixel, queue="pixels") for pixel in pixels)
