from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pytest
from appraisal import appraise, read_truth
from detections import SOURCE, TileSources
from hypothesis import given
from hypothesis import strategies as st
from merging import RADIUS, merge
from mock_sky import STAR

ARCSEC = 1 / 3600


MAG_ERROR = 0.01


def tile(number: int, *sources: tuple[float, float, float, float]) -> TileSources:
    """Sources as (ra, dec, mag, border)."""
    table = np.zeros(len(sources), SOURCE)
    for row, (ra, dec, mag, border) in zip(table, sources, strict=True):
        row["ra"], row["dec"], row["mag"], row["border"] = ra, dec, mag, border
        row["mag_error"] = MAG_ERROR
    corners = [(0.1, -0.1), (359.9, -0.1), (359.9, 0.1), (0.1, 0.1)]
    return TileSources(number=number, name=str(number), seeing=1.0, corners=corners, sources=table)


def stars(*places: tuple[float, float, float]) -> npt.NDArray[np.void]:
    return np.array(list(places), STAR)


def test_of_two_measurements_the_one_farther_from_the_border_is_kept() -> None:
    merged = merge([tile(0, (10, 5, 20.0, 7)), tile(1, (10, 5 + 0.5 * ARCSEC, 20.1, 60))])
    assert [(entry["mag"], entry["tile"], entry["seen"]) for entry in merged.entries] == [(20.1, 1, 2)]
    assert merged.differences.tolist() == pytest.approx([-0.1])


@pytest.mark.parametrize(("ra", "other", "dec"), [(359.9999, 0.0000, 0.0), (0, 90, 89.99999), (10, 10 + ARCSEC, -60)])
def test_sources_are_one_across_midnight_and_at_the_poles(ra: float, other: float, dec: float) -> None:
    assert len(merge([tile(0, (ra, dec, 20, 5)), tile(1, (other, dec, 20, 6))]).entries) == 1


def test_a_pair_on_one_tile_stays_a_pair_and_those_farther_apart_are_two() -> None:
    pair = tile(0, (10, 5, 20, 5), (10, 5 + 0.6 * ARCSEC, 21, 5))
    assert len(merge([pair]).entries) == 2
    assert len(merge([tile(0, (10, 5, 20, 5)), tile(1, (10, 5 + 1.1 * RADIUS * ARCSEC, 20, 6))]).entries) == 2


def test_a_pair_seen_by_two_tiles_is_still_a_pair() -> None:
    pair = [(10, 5, 20, 5), (10, 5 + 0.6 * ARCSEC, 21, 5)]
    merged = merge([tile(0, *pair), tile(1, *[(ra, dec, mag, 50) for ra, dec, mag, _ in pair])])
    assert len(merged.entries) == 2
    assert merged.entries["tile"].tolist() == [1, 1]


places = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 5))


@given(st.lists(st.lists(places, max_size=6, unique=True), min_size=1, max_size=4), st.integers(0, 99))
def test_every_source_is_kept_or_stands_near_a_kept_one_of_another_tile(
    fields: list[list[tuple[int, int, int]]], seed: int
) -> None:
    found = [
        tile(number, *[(10 + x * 0.4 * ARCSEC, y * 0.4 * ARCSEC, 20 + x / 9, border) for x, y, border in field])
        for number, field in enumerate(fields)
    ]
    merged = merge(found)
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    assert merge(shuffled).entries.tobytes() == merged.entries.tobytes()
    assert merged.entries["seen"].sum() == sum(len(field) for field in fields)
    kept = merged.entries
    for each in found:
        for source in each.sources:
            near = np.hypot(kept["ra"] - source["ra"], kept["dec"] - source["dec"]) <= 1.001 * RADIUS * ARCSEC
            same = near & (kept["ra"] == source["ra"]) & (kept["dec"] == source["dec"]) & (kept["tile"] == each.number)
            assert same.any() or (near & (kept["tile"] != each.number)).any()


def test_what_is_found_false_and_missed_is_counted() -> None:
    truth = stars((0.01, 0.01, 20.0), (0.02, 0.02, 20.2), (0.03, 0.03, 21.0), (5.0, 5.0, 20.0))
    tiles = [tile(0, (0.01, 0.01, 20.02, 9), (0.02, 0.02, 20.22, 9), (0.05, 0.05, 20, 9))]
    entries = merge(tiles).entries
    told = appraise(entries, truth, tiles)
    assert (told["stars"], told["found"], told["false"]) == (3, 2, 1)  # the fourth star is on no tile
    assert told["completeness"] == {"20.0": 1.0, "21.0": 0.0}
    assert told["magnitude_limit_90"] == 20.5
    assert told["magnitude_bias"] == pytest.approx(0.02)
    assert told["purity"] == pytest.approx(2 / 3, abs=1e-4)


def test_of_a_blend_one_star_is_found() -> None:
    tiles = [tile(0, (0.01, 0.01, 19.5, 9))]
    told = appraise(merge(tiles).entries, stars((0.01, 0.01, 20.0), (0.01, 0.01 + 0.5 * ARCSEC, 20.0)), tiles)
    assert (told["found"], told["false"]) == (1, 0)


def test_an_empty_catalogue_and_an_empty_truth_are_told_without_numbers() -> None:
    told = appraise(merge([]).entries, stars(), [])
    assert (told["stars"], told["completeness"], told["magnitude_bias"], told["magnitude_limit_90"]) == (0, {}, None, None)


def test_a_truth_may_have_more_columns_in_any_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    path.write_text("id,mag,dec,ra\n1,20.5,2.0,150.0\n")
    truth = read_truth(str(path))
    assert (truth["ra"][0], truth["dec"][0], truth["mag"][0]) == (150.0, 2.0, 20.5)
