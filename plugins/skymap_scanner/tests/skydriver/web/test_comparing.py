"""Two maps side by side: distances, areas and what regions have in common."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps import SkyMap
from skymap_scanner.result import ScanResult
from skymap_scanner.skydriver.web.comparing import compared

MakeScan = Callable[..., ScanResult]


def test_a_map_has_everything_in_common_with_itself(make_scan: MakeScan) -> None:
    skymap = SkyMap.of(make_scan(128.8, -9.8))
    found = json.loads(json.dumps(compared(skymap, skymap), allow_nan=False))
    assert found["close"]
    assert found["separation"] == 0.0
    assert [region["overlap"] for region in found["regions"]] == pytest.approx([1.0, 1.0, 1.0])
    assert found["pixels"]["8"] == {"both": 768, "only_first": 0, "only_second": 0, "different": {}}


def test_regions_share_what_lies_in_both(make_scan: MakeScan) -> None:
    wide, narrow = (
        SkyMap.of(make_scan(128.8, -9.8, major=0.6, minor=0.6)),
        SkyMap.of(make_scan(128.8, -9.8, major=0.3, minor=0.3)),
    )
    found = compared(wide, narrow)
    for region in found["regions"]:
        large, small = region["cell_areas"]
        assert region["common"] == pytest.approx(small, rel=1e-6), "the narrow one lies inside the wide one"
        assert region["overlap"] == pytest.approx(small / large, rel=1e-6)
    assert not found["close"]


def test_maps_of_other_resolutions_far_apart_share_nothing(make_scan: MakeScan) -> None:
    one, other = SkyMap.of(make_scan(10.0, 20.0)), SkyMap.of(make_scan(200.0, -20.0, nsides=((8, 0), (32, 12))))
    found = compared(one, other)
    assert [region["common"] for region in found["regions"]] == [0.0, 0.0, 0.0]
    assert (found["only_first"], found["only_second"]) == ([64, 512], [32])
    expected = np.degrees(
        np.arccos(np.sin(np.radians(20)) * np.sin(np.radians(-20)) + np.cos(np.radians(20)) ** 2 * np.cos(np.radians(190)))
    )
    assert found["separation"] == pytest.approx(expected, abs=1.5)


def test_a_shower_has_neither_distance_nor_regions(make_scan: MakeScan) -> None:
    shower = SkyMap.of(dataclasses.replace(make_scan(10.0, 20.0), gives_direction=False))
    found = compared(SkyMap.of(make_scan(10.0, 20.0)), shower)
    assert found["separation"] is None
    assert found["regions"] == []
    assert found["best_fits"][1] is None
