"""When what pilots start with is renewed."""

from __future__ import annotations

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order
from ewms.tms.freshness import REFRESH_SECONDS, Freshness
from tests.support.taskforces import order


def submitted(*excluded_sites: str, phase: Phase = Phase.CONDOR_SUBMIT) -> dict[str, Order]:
    return {"TF": order("TF", phase=phase).model_copy(update={"excluded_sites": excluded_sites})}


def test_credentials_are_renewed_after_an_hour() -> None:
    freshness = Freshness()
    assert freshness.stale(submitted(), 0.0) == set()
    assert freshness.stale(submitted(), REFRESH_SECONDS + 1) == {"TF"}
    freshness.renewed("TF", (), REFRESH_SECONDS + 1)
    assert freshness.stale(submitted(), REFRESH_SECONDS + 2) == set()


def test_excluded_sites_are_told_when_they_change() -> None:
    freshness = Freshness()
    assert freshness.stale(submitted("Hades"), 0.0) == {"TF"}
    freshness.renewed("TF", ("Hades",), 0.0)
    assert freshness.stale(submitted("Hades"), 1.0) == set()
    assert freshness.stale(submitted(), 1.0) == {"TF"}


def test_nothing_is_renewed_of_what_is_not_submitted() -> None:
    assert Freshness().stale(submitted("Hades", phase=Phase.PENDING_STOPPER), 0.0) == set()


def test_what_is_gone_is_forgotten() -> None:
    freshness = Freshness()
    freshness.stale(submitted(), 0.0)
    freshness.keep(set())
    assert freshness.stale(submitted(), REFRESH_SECONDS + 1) == set()
