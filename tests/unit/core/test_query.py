"""Parsing of queries, and what they mean; `tests/contract/test_store.py` shows that stores agree."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import InputError
from ewms.core.query import MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, AllOf, AnyOf, Compared, Not, OneOf, Query


class Colour(enum.StrEnum):
    RED = "red"


def nested(depth: int) -> dict[str, Any]:
    filter_: dict[str, Any] = {"a": 1}
    for _ in range(depth):
        filter_ = {"$and": [filter_]}
    return filter_


def test_a_query_is_parsed_into_its_parts() -> None:
    query = Query.parse({"a.b": "x", "n": {"$gte": 1, "$lt": 2.5}, "$or": [{"c": {"$ne": None}}, {"d": {"$in": [1, True]}}]})
    either = AnyOf((Not(OneOf("c", (None,))), OneOf("d", (1, True))))
    assert query == Query(AllOf((OneOf("a.b", ("x",)), Compared("n", "$gte", 1), Compared("n", "$lt", 2.5), either)))
    assert query in {query: 1}


def test_a_member_of_an_enumeration_becomes_its_text() -> None:
    (value,) = Query.parse({"colour": Colour.RED}).root.values  # type: ignore[union-attr]
    assert type(value) is str
    assert value == "red"


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ([], 'query must be a JSON object such as {"state": "running"}, not a list of 0'),
        (None, "query must be a JSON object"),
        ("a" * 1000, "query must be a JSON object"),
        ({"$where": "1"}, "query.$where is not supported; use $and, $or and keys of documents"),
        (
            {"a": {"$regex": "x"}},
            "query.a.$regex is not supported; use $eq, $ne, $in, $gt, $gte, $lt, $lte or a plain value",
        ),
        ({"a": {"b": 1}}, "query.a.b is not supported"),
        ({"a": {}}, "query.a has no operator"),
        ({"a": [1]}, "query.a must be a text without NUL, a number of 64 bits, true, false or null, not a list of 1"),
        ({"a": {"$in": "x"}}, "query.a.$in must be a list of at most 10000 values, not 'x'"),
        ({"a": {"$in": [1, {}]}}, "query.a.$in[1] must be a text"),
        ({"a": {"$in": [0] * (MAX_VALUES + 1)}}, "not a list of 10001"),
        ({"a": {"$gt": None}}, "query.a.$gt must be a text or a number, not None"),
        ({"a": {"$lte": True}}, "query.a.$lte must be a text or a number, not True"),
        ({"a": 1 << 63}, "query.a must be a text without NUL, a number of 64 bits"),
        ({"a": float("nan")}, "query.a must be a text without NUL, a number of 64 bits"),
        ({"a": "x\0"}, "query.a must be a text without NUL"),
        ({"a": "\ud800"}, "query.a must be a text without NUL"),
        ({"a..b": 1}, "query.a..b cannot be a key"),
        ({"": 1}, "query. cannot be a key"),
        ({'a"b': 1}, "cannot be a key; use names with dots between them"),
        ({"a.$b": 1}, "cannot be a key"),
        ({5: 1}, "query.5 cannot be a key"),
        ({"a": {5: 1}}, "query.a.5 is not supported"),
        ({"$or": []}, "query.$or must be a list of at least one query, not a list of 0"),
        ({"$and": {"a": 1}}, "query.$and must be a list of at least one query, not an object"),
        ({"$or": [{"a": 1}, 5]}, "query.$or[1] must be a JSON object"),
        ({"$or": [{"$and": [{"$nor": []}]}]}, "query.$or[0].$and[0].$nor is not supported"),
        (nested(MAX_DEPTH + 1), "is nested deeper than 10 levels"),
        ({f"k{number}": 1 for number in range(MAX_CONDITIONS + 1)}, "query.k200 is one condition too many"),
    ],
)
def test_what_is_not_supported_is_named_with_its_place(filter_: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        Query.parse(filter_)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_what_is_just_within_the_limits_is_taken() -> None:
    assert Query.parse(nested(MAX_DEPTH)).matches({"a": 1})
    assert Query.parse({"a": {"$in": list(range(MAX_VALUES))}}).matches({"a": MAX_VALUES - 1})
    assert not Query.parse({f"k{number}": 1 for number in range(MAX_CONDITIONS)}).matches({})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "$and", "$or", "$gt", "$in", "$ne", "a.b"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@given(JSON, st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2))
def test_anything_is_a_query_or_an_error_in_one_line(filter_: Any, document: dict[str, Any]) -> None:
    try:
        outcome: object = Query.parse(filter_).matches(document)
    except InputError as error:
        outcome = str(error)
    assert outcome in {True, False} or len(str(outcome).splitlines()) == 1


@pytest.mark.parametrize(
    ("filter_", "document", "matches"),
    [
        ({}, {}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": None}, {}, True),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {"a": 0}, False),
        ({"a": {"$ne": None}}, {"a": 0}, True),
        ({"a": {"$ne": 1}}, {}, True),
        ({"a": {"$in": []}}, {"a": 1}, False),
        ({"a": {"$in": [2, None]}}, {}, True),
        ({"a": {"$gt": 1}}, {"a": "x"}, False),
        ({"a": {"$gt": "w"}}, {"a": "x"}, True),
        ({"a": {"$gt": "x"}}, {"a": "\U0001f600"}, True),
        ({"a": {"$gte": 0}}, {"a": False}, False),
        ({"a": {"$lt": 1}}, {}, False),
        ({"a.b": 1}, {"a": {"b": 1}}, True),
        ({"a.b": 1}, {"a.b": 1}, False),
        ({"a.b": 1}, {"a": [{"b": 1}]}, False),
        ({"a.b": None}, {"a": [{"b": 1}]}, True),
        ({"a.b": None}, {"a": 5}, True),
        ({"a": 1}, {"a": [0, 1]}, True),
        ({"a": 1}, {"a": [[1]]}, False),
        ({"a": {"$ne": 1}}, {"a": [0, 1]}, False),
        ({"a": None}, {"a": []}, False),
        ({"a": None}, {"a": [None]}, True),
        ({"a": None}, {"a": {}}, False),
        ({"a": {"$gt": 1, "$lt": 3}}, {"a": [0, 4]}, True),
        ({"$or": [{"a": 1}, {"b": 1}]}, {"b": 1}, True),
        ({"$and": [{"a": 1}, {"b": 1}]}, {"b": 1}, False),
    ],
)
def test_what_a_query_means(filter_: dict[str, Any], document: dict[str, Any], matches: bool) -> None:
    assert Query.parse(filter_).matches(document) is matches
