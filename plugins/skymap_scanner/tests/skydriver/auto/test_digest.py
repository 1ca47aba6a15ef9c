"""The digest of an event's content."""

from __future__ import annotations

import dataclasses
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from skymap_scanner.event import Alert, EventHeader, PublishedFit
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import load_alert_bytes, native
from skymap_scanner.skydriver.auto.digest import content_digest

_numbers = st.floats(-1e6, 1e6, width=32)
_pulses = st.lists(
    st.tuples(
        st.integers(1, 86),
        st.integers(1, 60),
        _numbers,
        st.floats(0, 100, width=32),
        st.floats(0, 9, width=32),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=12,
)
_headers = st.builds(
    EventHeader,
    run_id=st.integers(0, 2**40),
    event_id=st.integers(0, 2**40),
    mjd=st.floats(0, 90_000),
    event_type=st.sampled_from(["", "gold", "HESE", "1 2", "ö"]),
    is_real=st.booleans(),
)


def array(rows: list[tuple[Any, ...]]) -> NDArray[np.void]:
    return np.array(rows, PULSE)


@given(_headers, _pulses, st.randoms())
def test_neither_order_nor_layout_nor_format_matters(header: EventHeader, rows: list[Any], chance: random.Random) -> None:
    alert = Alert(header=header, pulses=array(rows))
    expected = content_digest(alert)
    chance.shuffle(rows)
    assert content_digest(Alert(header=header, pulses=array(rows))) == expected
    document = json.loads(native.dumps(alert))
    chance.shuffle(document["pulses"])
    keys = list(document)
    chance.shuffle(keys)
    other = json.dumps(
        {key: document[key] for key in keys}, indent=chance.choice([None, 1]), sort_keys=chance.random() < 0.5
    )
    assert content_digest(load_alert_bytes(other.encode(), "other")) == expected


@given(_headers, _pulses, st.data())
def test_whatever_a_scan_reads_matters(header: EventHeader, rows: list[Any], data: st.DataObject) -> None:
    pulses = array(rows)
    before = content_digest(Alert(header=header, pulses=pulses))
    field = data.draw(
        st.sampled_from([*(PULSE.names or ()), "mjd", "event_type", "is_real", "run_id", "one more", "one less"])
    )
    match field:
        case "mjd":
            header = dataclasses.replace(header, mjd=float(np.nextafter(header.mjd, 1e9)))
        case "event_type":
            header = dataclasses.replace(header, event_type=header.event_type + "x")
        case "is_real":
            header = dataclasses.replace(header, is_real=not header.is_real)
        case "run_id":
            header = dataclasses.replace(header, run_id=header.run_id + 1)
        case "one more":
            pulses = np.append(pulses, pulses[:1])
        case "one less":
            pulses = pulses[1:]
        case _:
            pulses = pulses.copy()
            row = data.draw(st.integers(0, len(pulses) - 1))
            pulses[row][field] = (
                pulses[row][field] + 1 if pulses[field].dtype.kind != "f" else np.nextafter(pulses[row][field], 1e9)
            )
    assert content_digest(Alert(header=header, pulses=pulses)) != before


def test_numbers_next_to_each_other_do_not_run_together() -> None:
    one, other = EventHeader(run_id=1, event_id=23, mjd=1.0), EventHeader(run_id=12, event_id=3, mjd=1.0)
    pulses = array([(20, 30, 1.0, 1.0, 1.0, 1)])
    assert content_digest(Alert(header=one, pulses=pulses)) != content_digest(Alert(header=other, pulses=pulses))


def test_there_is_one_zero() -> None:
    header = EventHeader(run_id=1, event_id=2, mjd=1.0)
    digests = {content_digest(Alert(header=header, pulses=array([(20, 30, zero, 1.0, zero, 1)]))) for zero in (0.0, -0.0)}
    assert len(digests) == 1


def test_what_others_found_does_not_matter(event_bytes: Callable[..., bytes]) -> None:
    alert = load_alert_bytes(event_bytes(), "event")
    more = dataclasses.replace(alert, fits=(PublishedFit(name="theirs", zenith=1.0, azimuth=1.0),))
    assert content_digest(alert) == content_digest(more)


def test_it_stays_as_it_is(event_bytes: Callable[..., bytes]) -> None:
    """Documents of years keep it: another recipe would take every old event for a new one."""
    alert = load_alert_bytes(event_bytes(), "event")
    assert content_digest(alert) == "0374699a147236a15a8a58ad5dd205403fa52a6b7296158cded42b5ff4bde920"


@pytest.mark.parametrize("name", ["138632_31747601.json", "event_HESE_2017-11-28.json"])
def test_real_alerts_in_every_format(shared_events: Path, name: str) -> None:
    data = (shared_events / name).read_bytes()
    message = json.loads(data)
    alert = load_alert_bytes(data, name)
    forms = [
        data,
        pickle.dumps(message),
        pickle.dumps(message, 0),
        json.dumps(message, sort_keys=True).encode(),
        native.dumps(alert),
    ]
    assert len({content_digest(load_alert_bytes(form, name)) for form in forms}) == 1
