"""The application: sends micrographs to be picked, leads the rounds of classification, and presents the classes."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import mrc
import numpy as np
import picking
import results
import specimen
from assessment import read_truth
from classification import first_references, next_references
from particles import Alignment, Array, Micrograph, Missing, Picks, Sums
from results import Collection, Product
from specimen import MockSpecimen

from ewms import Application, DeadLetter, Event, Outcome, path_event_id

TEMPLATE_THRESHOLD, BLOB_THRESHOLD = 0.22, 0.13
"""Chance makes no place more like a template than that, or hardly any; a blob is like nothing very much."""
SUFFIXES = (".mrc", ".mrcs")
"""Of the files in a folder that are taken to be micrographs."""


class ClassAverages(Application[Event, Outcome, Product]):
    """Class averages of the particles on MRC micrographs, or on those of a mock specimen where none are given.

    Parameters
    ----------
    inputs
        MRC files and folders of them.
    diameter
        Of the particle, in ångström.
    templates
        MRC stack of what to look for, particles bright; empty for a blob.
    threshold
        Least correlation of a pick with its template; 0 for what suits most micrographs.
    classes, rounds
        How many averages to make, and how often to sort the particles anew.
    pixel_size
        In ångström, for micrographs whose header tells none.
    truth
        CSV file with columns `micrograph`, `x`, `y` and `kind` to compare the picks with; empty for none.
    mock_micrographs, mock_size
        How many micrographs of the mock specimen, and pixels along each side of one.
    """

    def __init__(
        self,
        inputs: Sequence[Path] = (),
        *,
        diameter: float = 180.0,
        templates: str = "",
        threshold: float = 0.0,
        classes: int = 6,
        rounds: int = 5,
        pixel_size: float = 0.0,
        truth: str = "",
        mock_micrographs: int = 5,
        mock_size: int = 2560,
    ) -> None:
        super().__init__(inputs)
        if not (diameter > 0 and 0 <= threshold < 1 and classes >= 1 and rounds >= 1):
            raise ValueError("diameter must be positive, threshold from 0 to 1, classes and rounds at least 1")
        if mock_micrographs < 1 or mock_size < 512:
            raise ValueError("the mock specimen has at least 1 micrograph of 512 pixels a side")
        self._classes, self._rounds = classes, rounds
        self._mock = None if inputs else MockSpecimen(micrographs=mock_micrographs, size=mock_size)
        self._templates = _templates(templates, self._mock, diameter)
        self._micrographs = [
            Micrograph(
                number=number,
                name=name,
                path=path,
                diameter=diameter,
                threshold=threshold or (TEMPLATE_THRESHOLD if templates or self._mock else BLOB_THRESHOLD),
                pixel_size=pixel_size,
                mock=self._mock,
            )
            for number, (name, path) in enumerate(_files(inputs, self._mock))
        ]
        self._truth = read_truth(truth) if truth else None
        self._picks: dict[int, Picks] = {}
        self._sums: dict[str, Sums] = {}
        self._missing: dict[str, Missing] = {}
        self._waiting = {event.id for event in self.start()}

    def context(self) -> Mapping[str, bytes]:
        """The templates: every pilot gets them once."""
        return {"templates.mrc": self._templates}

    def start(self) -> Iterator[Event]:
        """The micrographs, each to be picked."""
        for micrograph in self._micrographs:
            name = f"{micrograph.number}:{path_event_id(PurePath(micrograph.name))}"
            yield Event(id=name, queue="micrographs", body=micrograph)

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """Keep picks or sums; when all of a round are there, the next one begins."""
        if outcome.task == "pick":
            picks = Picks.model_validate(outcome.value)
            self._picks[picks.number] = picks
        else:
            self._sums[outcome.id] = Sums.model_validate(outcome.value)
        return self._after(outcome.id)

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """Go on without a micrograph that could not be used."""
        micrograph = letter.body if letter.task == "pick" else letter.body["micrograph"]
        reason = letter.reason.removeprefix("mrc.Unreadable: ")  # readers of the report know no exceptions
        self._missing[letter.id] = Missing(number=micrograph["number"], name=micrograph["name"], reason=reason)
        return self._after(letter.id)

    def assemble(self) -> Product:
        """Class averages, the table of picks, and a report."""
        _, sums = self._round()
        collection = Collection(self._micrographs, self._picks, {each.number: each for each in sums}, self._absent())
        return results.product(collection, self._truth)

    def summary(self) -> Mapping[str, int]:
        """Counts of micrographs and particles."""
        particles = sum(len(picks.picks) for picks in self._picks.values())
        return {"micrographs": len(self._picks), "missing": len(self._absent()), "particles": particles}

    def _after(self, terminal: str) -> Iterable[Event]:
        """The next events, if that was the last that they had to wait for."""
        self._waiting.discard(terminal)
        if self._waiting:
            return ()
        events = [event for event in self._round()[0] if event.id not in self._sums and event.id not in self._missing]
        self._waiting = {event.id for event in events}
        return events

    def _round(self) -> tuple[list[Event], list[Sums]]:
        """The first round that is not finished, or the last: its events, and the sums that there are.

        Each round follows from picks and sums alone, so that it does not matter when they came; and a micrograph that was
        replaced and replayed after all rounds takes part in all of them.
        """
        picked = [picks for _, picks in sorted(self._picks.items()) if picks.picks]
        if not picked:
            return [], []
        references = first_references(np.concatenate([picks.samples for picks in picked]), self._classes)
        for _ in range(self._rounds):
            events = [self._alignment(picks, references) for picks in picked]
            sums = [self._sums[event.id] for event in events if event.id in self._sums]
            if not sums or any(event.id not in self._sums and event.id not in self._missing for event in events):
                break
            references = next_references(references, sums)
        return events, sums

    def _alignment(self, picks: Picks, references: Array) -> Event:
        """The id tells with which references: that is all of the body that may differ from one round to the next."""
        digest = hashlib.sha256(references.tobytes()).hexdigest()[:16]
        body = Alignment(micrograph=self._micrographs[picks.number], picks=picks.picks, references=references)
        return Event(id=f"{digest}:{picks.number}", queue="alignments", body=body)

    def _absent(self) -> list[Missing]:
        """In the order of the micrographs. What was a dead letter and then replayed is missing no more."""
        events, _ = self._round()
        unpicked = {missing.number: missing for missing in self._missing.values() if missing.number not in self._picks}
        unaligned = {
            missing.number: missing
            for event in events
            if event.id not in self._sums and (missing := self._missing.get(event.id)) is not None
        }
        return [missing for _, missing in sorted((unpicked | unaligned).items())]


def _templates(path: str, mock: MockSpecimen | None, diameter: float) -> bytes:
    """The MRC file that pilots get; `ValueError` if there is none that can be read."""
    if path:
        try:
            _, pixel = mrc.read(path)
        except mrc.Unreadable as error:
            raise ValueError(f"templates {path}: {error}") from error
        if not pixel:
            raise ValueError(f"templates {path}: the header tells no pixel size")
        return Path(path).read_bytes()
    if mock:
        return mrc.encode(specimen.templates(), specimen.PIXEL)
    return mrc.encode(*picking.blob(diameter))


def _files(inputs: Iterable[Path], mock: MockSpecimen | None) -> Iterator[tuple[str, str]]:
    """What the table of picks calls each micrograph, and where it is; folders in the order of names."""
    for number in range(mock.micrographs if mock else 0):
        yield f"mock-{number}", ""
    for given in inputs:
        if not given.is_dir():
            yield given.name, str(given)
            continue
        files = sorted(path for path in given.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not files:
            raise FileNotFoundError(errno.ENOENT, "the folder holds no MRC files", str(given))
        for path in files:
            yield f"{given.name}/{path.relative_to(given).as_posix()}", str(path)
