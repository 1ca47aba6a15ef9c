"""The scan as an application, run in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ewms
from ewms.testing import check_order_independence
from skymap_scanner.errors import ScanError
from skymap_scanner.scanning.application import Scan
from skymap_scanner.scanning.workflow import scan_workflow

SMALL: dict[str, Any] = {"reco": "dummy", "nsides": "1:0 2:5 4:5", "plots": False}


def test_the_product_does_not_depend_on_the_order_of_arrival(event_file: Path) -> None:
    product = check_order_independence(scan_workflow(SMALL), inputs=[event_file], seeds=1)
    best = json.loads(product["best_fit.json"])
    assert best["complete"]
    assert set(best["pixels"]) == {"1", "2", "4"}


def test_predictions_change_nothing(event_file: Path) -> None:
    plain = check_order_independence(scan_workflow(SMALL), inputs=[event_file], seeds=1)
    predicted = check_order_independence(
        scan_workflow(SMALL | {"predictive_threshold": 0.65}), inputs=[event_file], seeds=2, speculative=True
    )
    assert predicted == plain


def test_pixels_that_fail_for_good_block_nothing(event_file: Path) -> None:
    dead = [f"1:{index}:0:{digest}" for index, digest in _first_ids(event_file)[:5]]
    product = check_order_independence(scan_workflow(SMALL), inputs=[event_file], seeds=1, dead=dead)
    best = json.loads(product["best_fit.json"])
    assert best["complete"]
    assert best["pixels_without_value"] >= 5


def _first_ids(event_file: Path) -> list[tuple[int, str]]:
    ids = [event.id for event in Scan([event_file], **SMALL).start()]
    return [(int(index), digest) for _, index, _, digest in (name.split(":") for name in ids if name != "classify")]


def test_the_same_events_on_every_start(event_file: Path) -> None:
    scan = Scan([event_file], **SMALL)
    assert list(scan.start()) == list(scan.start()) == list(Scan([event_file], **SMALL).start())


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"reco": "dumy"}, "reconstruction 'dumy' is unknown; did you mean 'dummy'?"),
        ({"nsides": "8:0,12:3"}, "12 in '12:3' is not a power of two"),
        ({"policy": "adaptve"}, "policy 'adaptve' is unknown; did you mean 'adaptive'?"),
        ({"predictive_threshold": 0.05}, "predictive_threshold is 0.05; it is a part of a level, from 0.1 to 1"),
        ({"pointed": "138.6"}, "the event has no fit '138.6'; write RA,DEC in degrees or one of its fits: none"),
        ({"pointed": "138.6,x"}, "'138.6,x' is not RA,DEC in degrees"),
        ({"pointed": "138.6,91"}, "'138.6,91' is not on the sky"),
    ],
)
def test_a_mistake_is_named(event_file: Path, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ScanError) as raised:
        Scan([event_file], **parameters)
    assert words in str(raised.value)


def test_a_pointed_scan_begins_near_there_only(event_file: Path) -> None:
    scan = Scan([event_file], reco="dummy", nsides="64:0", pointed="10.0,-20.0")
    assert 30 < sum(event.id != "classify" for event in scan.start()) < 60


def test_one_event_at_a_time(event_file: Path) -> None:
    with pytest.raises(ScanError, match="a scan takes one event, not 2"):
        Scan([event_file, event_file])


def test_a_file_that_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text("{}")
    with pytest.raises(ewms.InputError, match=r"event\.json"):
        Scan([path])
