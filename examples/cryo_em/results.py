"""The product: class averages, the table of picks, and a report on both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import pictures
from assessment import Found, Particles, assess, likeness_to_truth
from classification import totals
from films import ACROSS
from particles import Micrograph, Missing, Picks, Sums

Product = Mapping[str, str | bytes]


class Collection(NamedTuple):
    """All that was found out, by the numbers of the micrographs."""

    micrographs: Sequence[Micrograph]
    """All that were given."""
    picks: Mapping[int, Picks]
    """Of those that could be picked."""
    sums: Mapping[int, Sums]
    """Of those that took part in the last round."""
    missing: Sequence[Missing]
    """Those that could not be used."""


def product(collection: Collection, truth: Mapping[str, Particles] | None) -> Product:
    """Files by name; `truth` is by the names of their files, and known anyhow for those of the mock specimen."""
    collection, counts = _largest_first(collection)
    files: dict[str, str | bytes] = {"picks.csv": _table(collection)}
    report: dict[str, Any] = {
        "micrographs": [{"name": m.name, "picks": len(collection.picks[m.number].picks)} for m in _picked(collection)],
        "missing": [missing.model_dump(include={"name", "reason"}) for missing in collection.missing],
        "picks": sum(len(picks.picks) for picks in collection.picks.values()),
        "classes": counts,
    }
    mock = any(micrograph.mock for micrograph in collection.micrographs)
    if mock or truth is not None:
        report["truth"] = assess(_found(collection, truth or {}))
    if collection.sums:
        means, _ = totals(list(collection.sums.values()))
        files |= pictures.files(means, collection.micrographs[0].diameter / ACROSS)
        if mock:
            report["truth"]["likeness"] = likeness_to_truth(means)
    return files | {"report.json": json.dumps(report, indent=2) + "\n"}


def _largest_first(collection: Collection) -> tuple[Collection, list[int]]:
    """The same with classes numbered by their size, and the sizes."""
    if not collection.sums:
        return collection, []
    _, counts = totals(list(collection.sums.values()))
    order = sorted(range(len(counts)), key=lambda kind: (-counts[kind], kind))
    rank = {kind: place for place, kind in enumerate(order)}
    sums = {
        number: each.model_copy(update={"kinds": [rank[kind] for kind in each.kinds], "sums": each.sums[order]})
        for number, each in collection.sums.items()
    }
    return collection._replace(sums=sums), [counts[kind] for kind in order]


def _picked(collection: Collection) -> list[Micrograph]:
    return [micrograph for micrograph in collection.micrographs if micrograph.number in collection.picks]


def _table(collection: Collection) -> str:
    """A line a pick: micrograph, column and row of its centre, score, and where there are any, class and angle."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["micrograph", "x", "y", "score", "class", "angle"])
    for micrograph in _picked(collection):
        sums = collection.sums.get(micrograph.number)
        for place, pick in enumerate(collection.picks[micrograph.number].picks):
            kind, angle = (sums.kinds[place], sums.angles[place]) if sums else ("", "")
            table.writerow([micrograph.name, pick.x, pick.y, pick.score, kind, angle])
    return stream.getvalue()


def _found(collection: Collection, truth: Mapping[str, Particles]) -> list[Found]:
    """What is compared with the truth: the micrographs that were picked and of which it is known."""
    found = []
    for micrograph in _picked(collection):
        picks, sums = collection.picks[micrograph.number], collection.sums.get(micrograph.number)
        mock, file = micrograph.mock, PurePath(micrograph.name).name
        particles = mock.particles(micrograph.number) if mock else truth.get(file)
        if particles is not None:
            diameter = micrograph.diameter / picks.pixel
            found.append(Found(picks.picks, sums.kinds if sums else [], particles, diameter))
    return found
