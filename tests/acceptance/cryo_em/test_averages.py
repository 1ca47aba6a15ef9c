from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import mrc
import numpy as np
import pytest
from averages import ClassAverages
from films import SIDE
from particles import Alignment, Pick, Picks, Sums
from PIL import Image

from ewms import DeadLetter, Event, Outcome
from ewms.core.ids import check_event_id
from ewms.testing import SimulationResult, check_order_independence, simulate


def run(example: Path, *inputs: Path, **parameters: Any) -> SimulationResult:
    """Everything but the processes: the real consumers, ledger and journal, in a shuffled order."""
    from ewms.local.loading import load

    loaded = load(str(example), parameters)
    return simulate(loaded, lambda: loaded.application(inputs))


@pytest.fixture(scope="module")
def classified(example: Path) -> SimulationResult:
    """The mock specimen: about 130 particles on six micrographs."""
    return run(example, mock_micrographs=6, mock_size=1024)


def micrographs(collection: Path) -> list[Path]:
    return sorted(collection.glob("mock*.mrc"))


def test_particles_of_the_mock_specimen_are_found_sorted_and_averaged(classified: SimulationResult) -> None:
    truth = json.loads(classified.product["report.json"])["truth"]
    # Measured: precision 0.96, recall 0.88, purity 1.0, likeness 0.93 to 0.95.
    assert truth["particles"] > 100
    assert truth["precision"] > 0.88
    assert truth["recall"] > 0.8
    assert truth["purity"] > 0.95
    assert len(truth["likeness"]) == 3
    assert min(truth["likeness"]) > 0.85


def test_the_product_is_a_stack_a_picture_a_table_and_a_report(classified: SimulationResult, tmp_path: Path) -> None:
    product = classified.product
    report = json.loads(product["report.json"])
    assert report["classes"] == sorted(report["classes"], reverse=True)
    assert sum(report["classes"]) == report["picks"] == sum(each["picks"] for each in report["micrographs"])
    tmp_path.joinpath("classes.mrc").write_bytes(product["classes.mrc"])
    stack, pixel = mrc.read(str(tmp_path / "classes.mrc"))
    assert stack.shape == (6, SIDE, SIDE)
    assert pixel == pytest.approx(7.5)
    assert Image.open(io.BytesIO(product["classes.png"])).size == (6 * SIDE * 4, SIDE * 4)
    rows = list(csv.DictReader(io.StringIO(product["picks.csv"])))
    assert np.bincount([int(row["class"]) for row in rows], minlength=6).tolist() == report["classes"]
    assert {row["micrograph"] for row in rows} == {f"mock-{number}" for number in range(6)}


def test_micrographs_travel_by_name_and_what_travels_is_small(classified: SimulationResult) -> None:
    pixels = 1024 * 1024 * 4
    for task, values in classified.outputs.items():
        for value in values:
            arrays = [each for each in value.values() if isinstance(each, np.ndarray)]
            assert sum(array.nbytes for array in arrays) < pixels / 50, task


def test_files_are_picked_with_templates_and_compared_with_a_truth(example: Path, collection: Path) -> None:
    result = run(
        example,
        *micrographs(collection),
        templates=str(collection / "templates.mrc"),
        truth=str(collection / "truth.csv"),
        rounds=1,
    )
    truth = json.loads(result.product["report.json"])["truth"]
    assert truth["precision"] > 0.8
    assert truth["recall"] > 0.75
    assert "likeness" not in truth


def test_without_templates_particles_are_sought_as_blobs(example: Path, collection: Path) -> None:
    result = run(example, *micrographs(collection), truth=str(collection / "truth.csv"), rounds=1, classes=2)
    truth = json.loads(result.product["report.json"])["truth"]
    assert truth["precision"] > 0.3  # 0.6 measured on larger micrographs; the rest is found with templates
    assert truth["recall"] > 0.2


def test_a_broken_micrograph_is_missing_and_the_others_are_classified(
    example: Path, collection: Path, tmp_path: Path
) -> None:
    good, cut = micrographs(collection)[0], tmp_path / "cut.mrc"
    cut.write_bytes(good.read_bytes()[:100_000])
    result = run(example, cut, good, templates=str(collection / "templates.mrc"), rounds=2)
    report = json.loads(result.product["report.json"])
    assert [(each["name"], each["reason"][:43]) for each in report["missing"]] == [
        ("cut.mrc", "not an MRC file, or one that is cut short: ")
    ]
    assert sum(report["classes"]) > 5
    assert str(tmp_path) not in "".join(str(content) for content in result.product.values())


def test_the_classes_are_the_same_in_whatever_order_the_micrographs_come(
    example: Path, collection: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"no micrograph")
    product = check_order_independence(str(example), inputs=[*micrographs(collection)[:2], broken], seeds=1)
    assert len(json.loads(product["report.json"])["missing"]) == 1
    assert sum(json.loads(product["report.json"])["classes"]) > 5


def picked(number: int, found: int = 2) -> Outcome:
    chance = np.random.default_rng(number)
    samples = chance.normal(size=(min(found, 2), SIDE, SIDE)).astype(np.float32)
    picks = Picks(number=number, pixel=2.0, picks=[Pick(x=9.0, y=9.0, score=0.5)] * found, samples=samples)
    return Outcome(id=f"{number}:{number}.mrc", task="pick", values=(picks.model_dump(),))


def aligned(event: Event) -> Outcome:
    """A class for each particle, and pictures that follow from the references: as deterministic as the real task."""
    body: Alignment = event.body
    number = body.micrograph.number
    sums = body.references * (1 + number) + np.random.default_rng(number).normal(size=body.references.shape)
    kinds = [place % len(sums) for place in range(len(body.picks))]
    value = Sums(number=number, kinds=kinds, angles=[0.0] * len(kinds), sums=sums.astype(np.float32))
    return Outcome(id=event.id, task="align", values=(value.model_dump(),))


def dead(event_id: str, number: int, task: str) -> DeadLetter:
    micrograph = {"number": number, "name": f"{number}.mrc"}
    body = micrograph if task == "pick" else {"micrograph": micrograph}
    return DeadLetter(id=event_id, task=task, reason="mrc.Unreadable: gone", body=body)


def application(count: int, rounds: int = 2) -> ClassAverages:
    return ClassAverages([Path(f"{number}.mrc") for number in range(count)], classes=2, rounds=rounds)


def finish(averages: ClassAverages, events: list[Event]) -> None:
    while events:
        events = [new for event in events for new in averages.advance(aligned(event))]


def missing(averages: ClassAverages) -> list[str]:
    return [each["name"] for each in json.loads(averages.assemble()["report.json"])["missing"]]


def test_a_round_begins_when_the_last_micrograph_of_the_one_before_is_done() -> None:
    averages = application(3)
    assert list(averages.advance(picked(2))) == []
    assert list(averages.advance(picked(1, found=0))) == []  # takes no part in the rounds
    first = list(averages.advance(picked(0)))
    assert [event.body.micrograph.number for event in first] == [0, 2]
    assert list(averages.advance(aligned(first[1]))) == []
    second = list(averages.advance(aligned(first[0])))
    assert [event.body.micrograph.number for event in second] == [0, 2]
    assert {event.id for event in second}.isdisjoint(event.id for event in first)
    assert [new for event in second for new in averages.advance(aligned(event))] == []
    assert averages.summary() == {"micrographs": 3, "missing": 0, "particles": 4}


def test_no_round_waits_for_dead_letters() -> None:
    averages = application(3)
    assert list(averages.advance(picked(0))) == []
    assert list(averages.buried(dead("1:1.mrc", 1, "pick"))) == []
    first = list(averages.advance(picked(2)))
    assert list(averages.advance(aligned(first[0]))) == []
    second = list(averages.buried(dead(first[1].id, 2, "align")))
    assert [event.body.micrograph.number for event in second] == [0, 2]  # it may be readable by then
    finish(averages, second)
    assert missing(averages) == ["1.mrc"]


def test_where_nothing_can_be_used_there_are_no_classes() -> None:
    averages = application(1)
    assert list(averages.buried(dead("0:0.mrc", 0, "pick"))) == []
    product = averages.assemble()
    assert set(product) == {"picks.csv", "report.json"}
    lost = application(1)
    first = list(lost.advance(picked(0)))
    assert list(lost.buried(dead(first[0].id, 0, "align"))) == []
    assert missing(lost) == ["0.mrc"]
    assert str(lost.assemble()["picks.csv"]).endswith("9.0,9.0,0.5,,\n")


def test_a_micrograph_that_is_replayed_after_all_rounds_takes_part_in_all_of_them() -> None:
    late, plain = application(2), application(2)
    list(late.buried(dead("1:1.mrc", 1, "pick")))
    finish(late, list(late.advance(picked(0))))
    assert missing(late) == ["1.mrc"]
    finish(late, list(late.advance(picked(1))))
    list(plain.advance(picked(1)))
    finish(plain, list(plain.advance(picked(0))))
    assert late.assemble() == plain.assemble()
    assert missing(late) == []


def test_folders_give_their_mrc_files_under_ids_that_are_allowed(tmp_path: Path) -> None:
    for name in ("b b.MRC", "a.mrc", "sub/c.mrcs", "notes.txt"):
        path = tmp_path / "day" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    events: list[Event] = list(ClassAverages([tmp_path / "day", tmp_path / "any.name"]).start())
    assert [event.body.name for event in events] == ["day/a.mrc", "day/b b.MRC", "day/sub/c.mrcs", "any.name"]
    assert len({check_event_id(event.id) for event in events}) == 4


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"diameter": 0.0}, "diameter must be positive"),
        ({"threshold": 1.0}, "threshold from 0 to 1"),
        ({"classes": 0}, "classes and rounds at least 1"),
        ({"mock_size": 100}, "512 pixels"),
        ({"templates": "{tmp}/nowhere.mrc"}, "templates .*nowhere.mrc: the file cannot be opened: No such file"),
        ({"templates": "{tmp}/truth.csv"}, "templates .*truth.csv: not an MRC file"),
        ({"truth": "{tmp}/truth.csv"}, "has no column 'kind'"),
    ],
)
def test_wrong_parameters_are_told(tmp_path: Path, parameters: dict[str, Any], complaint: str) -> None:
    tmp_path.joinpath("truth.csv").write_text("micrograph,x,y\na.mrc,1,2\n")
    given: Any = {key: value.format(tmp=tmp_path) if isinstance(value, str) else value for key, value in parameters.items()}
    with pytest.raises(ValueError, match=complaint):
        ClassAverages(**given)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no MRC files"):
        ClassAverages([tmp_path])
