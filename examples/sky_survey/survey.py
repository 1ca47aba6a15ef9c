"""The application: sends tiles, collects what was found on them, and makes one catalogue of it."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import catalogue
from appraisal import appraise, read_truth, spread
from detections import Missing, Tile, TileSources
from merging import merge
from mock_sky import MockSky

from ewms import Application, DeadLetter, Event, Outcome, path_event_id

Product = Mapping[str, str | bytes]
SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")
"""Of the files in a folder that are taken to be tiles."""


class Survey(Application[Event, Outcome, Product]):
    """A catalogue of the sources on FITS tiles, or on those of a mock sky where none are given.

    Parameters
    ----------
    inputs
        FITS files and folders of them; tiles may overlap.
    zero_point
        Magnitude of one count, for tiles whose header does not tell.
    truth
        CSV file with columns `ra`, `dec` (degrees, ICRS) and `mag` to compare the catalogue with; empty for none.
    mock_tiles, mock_size
        Tiles along each side of the mock sky, and pixels along each side of a tile.
    """

    def __init__(
        self,
        inputs: Sequence[Path] = (),
        *,
        zero_point: float = 25.0,
        truth: str = "",
        mock_tiles: int = 4,
        mock_size: int = 800,
    ) -> None:
        super().__init__(inputs)
        if mock_tiles < 1 or mock_size < 200:
            raise ValueError(
                f"mock_tiles is {mock_tiles} and mock_size {mock_size}; at least 1 tile of 200 pixels is needed"
            )
        self._zero_point = zero_point
        self._mock = None if inputs else MockSky(side=mock_tiles, size=mock_size)
        self._truth = self._mock.stars() if self._mock else read_truth(truth) if truth else None
        self._measured: dict[int, TileSources] = {}
        self._missing: dict[int, Missing] = {}

    def start(self) -> Iterator[Event]:
        """The tiles, each to be measured."""
        if self._mock:
            for number in range(self._mock.count):
                yield self._event(Tile(number=number, name=f"mock-{number}", zero_point=self._zero_point, mock=self._mock))
        for number, (name, path) in enumerate(_files(self.inputs)):
            yield self._event(Tile(number=number, name=name, path=str(path), zero_point=self._zero_point))

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """Keep what was found on a tile."""
        tile = TileSources.model_validate(outcome.value)
        self._measured[tile.number] = tile
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """Keep the name of a tile that could not be measured."""
        reason = letter.reason.removeprefix("fits_tiles.Unreadable: ")  # readers of the report know no exceptions
        self._missing[letter.body["number"]] = Missing(name=letter.body["name"], reason=reason)
        return ()

    def assemble(self) -> Product:
        """The catalogue as CSV and FITS, and a report on it."""
        tiles = [tile for _, tile in sorted(self._measured.items())]
        entries, differences = merge(tiles)
        report: dict[str, Any] = {
            "tiles": [{"name": tile.name, "seeing": tile.seeing, "sources": len(tile.sources)} for tile in tiles],
            "missing": [missing.model_dump() for missing in self._absent()],
            "sources": len(entries),
            "duplicates": len(differences),
            "repeatability": round(spread(differences) / 2**0.5, 4) if len(differences) else None,
        }
        if self._truth is not None:
            report["truth"] = appraise(entries, self._truth, tiles)
        names = {tile.number: tile.name for tile in tiles}
        return {**catalogue.files(entries, names), "report.json": json.dumps(report, indent=2) + "\n"}

    def summary(self) -> Mapping[str, int]:
        """Counts of tiles."""
        return {"tiles": len(self._measured), "missing": len(self._absent())}

    def _absent(self) -> list[Missing]:
        """In the order of the tiles. What was a dead letter and then replayed is missing no more."""
        return [missing for number, missing in sorted(self._missing.items()) if number not in self._measured]

    @staticmethod
    def _event(tile: Tile) -> Event:
        return Event(id=f"{tile.number}:{path_event_id(PurePath(tile.name))}", body=tile)


def _files(inputs: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Every tile and what the catalogue calls it; folders in the order of names."""
    for given in inputs:
        if not given.is_dir():
            yield given.name, given
            continue
        tiles = sorted(path for path in given.rglob("*") if path.name.lower().endswith(SUFFIXES))
        if not tiles:
            raise FileNotFoundError(errno.ENOENT, "the folder holds no FITS files", str(given))
        for path in tiles:
            yield f"{given.name}/{path.relative_to(given).as_posix()}", path
