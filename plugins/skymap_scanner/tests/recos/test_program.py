"""Programs as reconstructions: what they are given, and what is wrong with them in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skymap_scanner.detector.geometry import modules
from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.recos.base import Reco
from skymap_scanner.recos.program import ProgramReco, hits_table
from skymap_scanner.scanning import workflow
from skymap_scanner.scanning.workflow import scan_workflow


class Program(ProgramReco):
    name = "program"
    task = {"command": ("reconstruct", "{{INFILE}}", "{{OUTFILE}}"), "timeout": 600}


class Image(ProgramReco):
    name = "image"
    task = {"container": {"image": "docker://reco:1.0", "arguments": ["{{INFILE}}", "{{OUTFILE}}"]}}


class Wrong(ProgramReco):
    name = "wrong"
    task = {"timeout": -1, "command": ("reconstruct",)}


@pytest.fixture
def alert() -> Alert:
    pulses = np.array([(29, om, 10_000.0 + 60.0 * om, 2.0, 1.0, 1) for om in (20, 21, 22)], dtype=PULSE)
    return Alert(header=EventHeader(run_id=1, event_id=2, mjd=58_000.0), pulses=pulses)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package had brought these; that they are found is shown by the test of the example `planewave`."""
    classes: dict[str, type[Reco]] = {"program": Program, "image": Image, "wrong": Wrong}
    monkeypatch.setattr(workflow, "is_program", classes.__contains__)
    monkeypatch.setattr(workflow, "reco_class", classes.__getitem__)


def test_hits_come_with_positions(alert: Alert) -> None:
    heading, *rows = hits_table(alert).decode().splitlines()
    assert heading == "string,om,x,y,z,time,charge"
    assert len(rows) == 3
    string, om, *numbers = rows[0].split(",")
    assert (string, om) == ("29", "20")
    x, y, z, time, charge = map(float, numbers)
    assert [x, y, z] == pytest.approx(modules().positions_of([29], [20])[0].tolist())
    assert (time, charge) == (11_200.0, 2.0)


def test_the_vertex_is_the_centre_of_the_charge(alert: Alert) -> None:
    middle = modules().positions_of([29], [21])[0]
    fallback = Program(alert).fallback()
    assert (fallback.x, fallback.y, fallback.z) == pytest.approx(tuple(middle), abs=1.0)
    assert fallback.time == 11_260.0


def test_it_is_not_called_from_python(alert: Alert) -> None:
    with pytest.raises(ScanError, match="'program' is a program, which `skymap-scanner scan --reco program` runs"):
        Program(alert).reconstruct([])


@pytest.mark.parametrize(("name", "executor"), [("program", "command"), ("image", "container")])
def test_its_task_is_done_by_its_executor(name: str, executor: str) -> None:
    spec = scan_workflow({"reco": name}, max_failures=7)
    task: Any = next(task for task in spec.tasks if task.name == "reconstruct")
    assert getattr(task, executor) is not None
    assert task.python is None
    assert (task.infile_suffix, task.outfile_suffix, task.retry.max_failures) == (".json", ".json", 7)
    assert next(task for task in spec.tasks if task.name == "classify").python is not None


def test_a_task_that_cannot_be_is_named() -> None:
    with pytest.raises(ScanError, match=r"reconstruction 'wrong' describes its task wrongly: .*timeout"):
        scan_workflow({"reco": "wrong"})
