from __future__ import annotations

from ewms.wms.service.searching import pinned, renamed


def test_a_filter_may_name_the_one_document_that_it_means() -> None:
    assert pinned({"task_id": "TK-1", "phase": "x"}, "task_id") == "TK-1"
    assert pinned({"task_id": {"$in": ["TK-1"]}}, "task_id") is None
    assert pinned({"phase": "x"}, "task_id") is None


def test_keys_are_renamed_wherever_they_stand() -> None:
    filter_ = {"a": 1, "$or": [{"b.c": {"$gt": 2}}, {"$and": [{"a": None}]}]}
    assert renamed(filter_, lambda key: f"x.{key}") == {
        "x.a": 1,
        "$or": [{"x.b.c": {"$gt": 2}}, {"$and": [{"x.a": None}]}],
    }
