"""What rules know of an alert."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from skymap_scanner.errors import EventError
from skymap_scanner.skydriver.auto import facts
from skymap_scanner.skydriver.auto.facts import Facts, facts_of


def test_of_an_event_of_our_own(event_bytes: Callable[..., bytes]) -> None:
    found = facts_of(event_bytes(), "event")[1]
    assert (found.type, found.real, found.run, found.event, found.modules, found.strings) == (
        "gold",
        False,
        118_000,
        7,
        16,
        4,
    )
    assert (found.charge, found.energy, found.stream, found.sender, found.data) == (32.0, None, (), "", {})
    assert found.values("energy") == () == found.values("sender") == found.values("data.nothing")
    assert found.values("real") == (False,)


def test_of_a_real_alert(shared_events: Path) -> None:
    found = facts_of((shared_events / "138632_31747601.json").read_bytes(), "event")[1]
    assert (found.type, found.stream, found.sender, found.real) == ("neutrino", ("neutrino",), "PFOnlineWriter", True)
    assert found.energy == 77406.34431
    assert found.values("data.neutrino.bdt_up") == (0.18028,)
    assert found.values("data.it_trig") == (False,)
    assert "data.frames" not in found.data
    assert Facts.model_validate(json.loads(found.model_dump_json())) == found


def test_a_pickle_and_json_tell_the_same(shared_events: Path) -> None:
    found = facts_of((shared_events / "run00136662-evt000035405932-BRONZE.pkl").read_bytes(), "event")[1]
    assert (found.stream, found.data["neutrino.bdt_up"]) == (("neutrino",), 0.18836)


def test_a_hostile_message_is_cut(shared_events: Path) -> None:
    """Each value has a bound, and none is one that a store cannot keep."""
    message = json.loads((shared_events / "138632_31747601.json").read_bytes())
    deep: dict[str, object] = {"x": 1}
    for _ in range(50):
        deep = {"y": deep}
    message["service"] = "a\0b" + "c" * 10_000
    message["value"]["streams"] = [None, 3, {"a": 1}, "\ud800", *(f"s{number}" for number in range(5000))]
    message["value"]["data"] |= {f"k{number}": number for number in range(5000)}
    message["value"]["data"] |= {"deep": deep, "huge": 10**400, "list": [1], "z" * 500: 1, "": 2, "none": None}
    data = json.dumps(message).replace('"nch": 175', '"nan": NaN, "infinite": Infinity').encode()
    found = facts_of(data, "event")[1]
    assert len(found.data) == facts._MOST_DATA
    assert len(found.stream) <= facts._MOST_DATA
    assert len(found.sender) <= facts._LONGEST
    assert "\0" not in found.model_dump_json()
    assert not {"nan", "infinite", "huge", "list", "none", ""} & set(found.data)
    found.model_dump_json().encode()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\x80\x04N.", b'{"format": "skymap-scanner-event"}', b"\xff\xfe"])
def test_what_is_no_event_is_told(data: bytes) -> None:
    with pytest.raises(EventError, match=r"^alert: "):
        facts_of(data, "alert")
