"""What is looked for stands in the address, and comes out of it again."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ewms.wms.web.listing import Sought, sought


def test_an_address_says_what_is_looked_for() -> None:
    wanted = sought(" scan ", ["site=a, b"], "run=7, x=1,, ", ["running", "failed"], "")
    assert wanted.labels == ("site=a, b", "run=7", "x=1")
    found = parse_qs(urlsplit(wanted.link("/ui/workflows")).query)
    assert sought(found["text"][0], found["label"], "", found["state"], "") == wanted


def test_labels_and_states_are_added_and_taken_away() -> None:
    wanted = sought("", ["a=1"], "", [], "")
    assert wanted.with_label("b=2").with_label("b=2").without_label("a=1").labels == ("b=2",)
    assert wanted.with_state("failed").with_state("").states == ()
    assert Sought().is_anything
    assert not wanted.is_anything


def test_nothing_looked_for_is_the_plain_address() -> None:
    assert Sought().link("/ui/workflows") == "/ui/workflows"
