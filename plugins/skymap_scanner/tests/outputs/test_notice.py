"""The draft of a GCN notice; NASA's schema is asked in tests/readers."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.notice import notice
from skymap_scanner.result import ScanResult


def drafted(scan: ScanResult, **header: Any) -> dict[str, Any]:
    skymap = SkyMap(dataclasses.replace(scan, header=dataclasses.replace(scan.header, **header)))
    assert skymap.best is not None
    return notice(skymap, skymap.best, b"a map")


def test_notice_says_where_and_how_sure(make_scan: Callable[..., ScanResult]) -> None:
    document = drafted(make_scan(57.3, 17.2))
    assert (document["ra"], document["dec"]) == pytest.approx((57.3, 17.2), abs=0.1)
    assert document["ra_dec_error"] == pytest.approx(np.sqrt(4.61 * 0.06), rel=0.02)
    assert document["containment_probability"] == 0.9
    assert document["systematic_included"] is False
    assert document["id"] == ["138632_31747601"]
    assert document["trigger_time"] == "2023-04-17T06:00:00.000000Z"
    assert base64.b64decode(document["healpix_file"]) == b"a map"
    assert "alert_datetime" not in document


@pytest.mark.parametrize(
    ("event_type", "pipeline"), [("gold", "Gold Track Alert"), ("BRONZE", "Bronze Track Alert"), ("HESE", None), ("", None)]
)
def test_pipeline_is_one_of_the_schema_or_none(
    make_scan: Callable[..., ScanResult], event_type: str, pipeline: str | None
) -> None:
    assert drafted(make_scan(57.3, 17.2), event_type=event_type).get("pipeline") == pipeline


def test_simulated_event_is_a_test(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    assert drafted(scan, is_real=False)["alert_tense"] == "test"
    assert "alert_tense" not in drafted(scan)
    assert "trigger_time" not in drafted(scan, mjd=float("nan"))
