"""Scores of sites: whatever happens, exclusions expire and somewhere is left to run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.tms.sites import EXCLUSION, HALF_LIFE, MIN_EVIDENCE, Site, observe, scores

NAMES = st.sampled_from(["Athens", "Berlin", "Cairo", "Delhi"])
COUNTS = st.dictionaries(NAMES, st.integers(0, 40))
STEPS = st.lists(st.tuples(COUNTS, COUNTS, st.floats(0, 4 * EXCLUSION)), max_size=30)


def follow(steps: list[Any]) -> list[tuple[float, dict[str, Site]]]:
    """The sites after each step."""
    now, sites, history = 0.0, dict[str, Site](), []
    for losses, successes, seconds in steps:
        now += seconds
        sites = observe(sites, losses, successes, now)
        history.append((now, sites))
    return history


@given(STEPS)
def test_one_known_site_is_always_left(steps: list[Any]) -> None:
    for _, sites in follow(steps):
        assert not sites or any(site.excluded_until is None for site in sites.values())


@given(STEPS)
def test_every_exclusion_expires(steps: list[Any]) -> None:
    for now, sites in follow(steps):
        assert all(0.0 <= score.excluded_for <= EXCLUSION for score in scores(sites, now).values())
        assert all(score.excluded_for == 0.0 for score in scores(sites, now + EXCLUSION).values())


@given(STEPS)
def test_what_fades_never_grows(steps: list[Any]) -> None:
    for now, sites in follow(steps):
        for name, score in scores(sites, now + HALF_LIFE).items():
            assert score.losses <= sites[name].losses
            assert score.successes <= sites[name].successes


@given(COUNTS)
def test_sites_that_lose_nothing_are_never_excluded(successes: dict[str, int]) -> None:
    assert all(site.excluded_until is None for site in observe({}, {}, successes, 0.0).values())


@pytest.mark.parametrize(
    ("losses", "successes", "excluded"),
    [
        ({"Hades": 20}, {"Athens": 20}, {"Hades"}),
        ({"Hades": 20}, {}, set()),  # nowhere else is known
        ({"Hades": 20, "Athens": 20}, {"Hades": 1, "Athens": 1}, set()),  # everywhere is bad: it is not the site
        ({"Hades": 4}, {"Athens": 20}, set()),  # too few to tell
        ({"Hades": 20}, {"Athens": 4}, set()),  # too few to compare with
        ({"Hades": 10, "Athens": 1}, {"Hades": 30, "Athens": 30}, set()),  # one in four may be bad luck
        ({"Hades": 20, "Styx": 20, "Athens": 1}, {"Athens": 200}, {"Hades", "Styx"}),
    ],
)
def test_who_is_excluded(losses: dict[str, int], successes: dict[str, int], excluded: set[str]) -> None:
    sites = observe({}, losses, successes, 0.0)
    assert {name for name, site in sites.items() if site.excluded_until is not None} == excluded


def test_after_its_exclusion_a_site_starts_anew() -> None:
    sites = observe({}, {"Hades": 50}, {"Athens": 50}, 0.0)
    later = observe(sites, {"Hades": int(MIN_EVIDENCE) - 1}, {}, EXCLUSION + 1.0)
    assert later["Hades"].excluded_until is None
    again = observe(later, {"Hades": 2}, {}, EXCLUSION + 2.0)
    assert again["Hades"].excluded_until is not None
