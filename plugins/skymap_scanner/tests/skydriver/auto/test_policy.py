"""Which rule takes an alert."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.skydriver.auto.conditions import FACTS, Condition, condition_of
from skymap_scanner.skydriver.auto.facts import Facts
from skymap_scanner.skydriver.auto.policy import Policy, Rule

_words = st.sampled_from(["gold", "Bronze", "HESE", "", "a*b", "[x]"])
facts = st.builds(
    Facts,
    digest=st.just("0" * 64),
    type=_words,
    stream=st.lists(_words.filter(bool), max_size=3).map(tuple),
    sender=_words,
    real=st.booleans(),
    run=st.integers(0, 200_000),
    event=st.integers(0, 9),
    mjd=st.floats(50_000, 60_000),
    charge=st.floats(0, 10_000),
    modules=st.integers(1, 5000),
    pulses=st.integers(1, 9000),
    strings=st.integers(1, 86),
    energy=st.none() | st.floats(1, 1e7),
    fits=st.lists(_words.filter(bool), max_size=2).map(tuple),
    data=st.dictionaries(st.sampled_from(["a", "a.b"]), st.integers(-3, 3) | st.booleans() | _words, max_size=2),
)
_number = st.integers(-5, 6000) | st.floats(-5, 6000)
_range = st.tuples(_number, _number).map(lambda pair: {"min": min(pair), "max": max(pair)})
_texts = _words | st.lists(_words, min_size=1, max_size=2)
_wanted = st.one_of(
    st.tuples(st.sampled_from(["type", "stream", "sender", "fits"]), _texts | _texts.map(lambda value: {"not": value})),
    st.tuples(
        st.sampled_from(["run", "charge", "modules", "energy"]), _number | _range | _range.map(lambda value: {"not": value})
    ),
    st.tuples(st.just("real"), st.booleans()),
    st.tuples(st.sampled_from(["data.a", "data.a.b"]), _texts | _number | _range | st.booleans()),
)
_whens = st.lists(_wanted, max_size=3).map(dict)


def policy_of(*whens: dict[str, Any]) -> Policy:
    return Policy.model_validate({"rules": [{"name": f"r{number}", "when": when} for number, when in enumerate(whens)]})


@given(facts, st.lists(_whens, min_size=1, max_size=5))
def test_the_first_rule_of_which_all_conditions_hold_decides(alert: Facts, whens: list[dict[str, Any]]) -> None:
    policy = policy_of(*whens)
    taking = [rule for rule in policy.rules if not rule.misses(alert)]
    assert policy.rule_for(alert) == (taking[0] if taking else None)
    for rule in policy.rules:
        assert rule.takes(alert) == all(Rule(name="x", when={fact: one}).takes(alert) for fact, one in rule.when.items())


@given(facts, st.lists(_whens, min_size=1, max_size=4), _whens)
def test_a_rule_behind_another_changes_nothing_for_what_that_takes(
    alert: Facts, whens: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    before, after = policy_of(*whens).rule_for(alert), policy_of(*whens, more).rule_for(alert)
    assert before is None or after == before


@given(facts)
def test_a_rule_without_conditions_takes_everything(alert: Facts) -> None:
    rule = policy_of({}).rule_for(alert)
    assert rule is not None
    assert rule.name == "r0"


@given(facts, _wanted)
def test_not_is_the_contrary_where_something_is_known(alert: Facts, wanted: tuple[str, Any]) -> None:
    fact, given_ = wanted
    if isinstance(given_, dict) and "not" in given_:
        given_ = given_["not"]
    known = bool(alert.values(fact))
    holds = condition_of(fact, given_).holds(alert.values(fact))
    assert condition_of(fact, {"not": given_}).holds(alert.values(fact)) == (known and not holds)


@pytest.mark.parametrize(
    ("wanted", "values", "holds"),
    [
        ("gold", ["GOLD"], True),
        (["gold", "bronze"], ["bronze"], True),
        ("gold", ["golden"], False),
        ("gold*", ["golden"], True),
        ("*[x]*", ["a[x]b"], True),
        ("*[x]*", ["axb"], False),
        ("gold", [], False),
        ({"not": "gold"}, [], False),
        ({"not": "gold"}, ["HESE"], True),
        ({"not": ["gold", "HESE"]}, ["gold", "x"], False),
    ],
)
def test_texts(wanted: Any, values: list[str], holds: bool) -> None:
    assert condition_of("stream", wanted).holds(values) == holds


@pytest.mark.parametrize(
    ("wanted", "value", "holds"),
    [
        (5, 5.0, True),
        ([4, 5], 5, True),
        ({"min": 5}, 5, True),
        ({"max": 5}, 5, True),
        ({"min": 5, "max": 6}, 6.1, False),
        ({"not": {"min": 5}}, 4, True),
        ({"not": 5}, 5, False),
    ],
)
def test_numbers(wanted: Any, value: float, holds: bool) -> None:
    assert condition_of("charge", wanted).holds([value]) == holds


def test_a_truth_is_no_number() -> None:
    assert not condition_of("data.x", 1).holds([True])
    assert not condition_of("data.x", True).holds([1])
    assert not condition_of("data.x", {"min": 0}).holds([True])


def test_every_fact_can_be_asked_for() -> None:
    names = set(Facts.model_fields) - {"digest", "data"}
    assert names == set(FACTS)


@given(facts, st.sampled_from(FACTS))
def test_what_an_alert_is_can_be_asked_for(alert: Facts, fact: str) -> None:
    for value in alert.values(fact):
        assert Condition(wanted=(value,)).holds(alert.values(fact)) or "*" in str(value)
