"""The plugin's own format: exact, canonical, strict."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError, NoSignal
from skymap_scanner.event import Alert, EventHeader, PublishedFit, Truth
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import load_alert, load_alert_bytes, native

FINITE = st.floats(allow_nan=False, allow_infinity=False)
OPTIONAL = FINITE | st.just(math.nan)
POSITIVE32 = st.floats(0, 2.0**100, width=32)
ZENITHS, AZIMUTHS = st.floats(0, math.pi), st.floats(0, math.tau)
NAMES = st.text(max_size=20)
HEADERS = st.builds(
    EventHeader,
    run_id=st.integers(0, 2**32),
    event_id=st.integers(0, 2**63 - 1),
    mjd=st.floats(50_000, 70_000),
    event_type=NAMES,
    is_real=st.booleans(),
)
PLACES: Any = {"x": FINITE, "y": FINITE, "z": FINITE, "time": FINITE}
TRUTHS = st.builds(
    Truth, kind=st.sampled_from(["track", "cascade"]), zenith=ZENITHS, azimuth=AZIMUTHS, energy=st.floats(0, 1e10), **PLACES
)
FITS = st.builds(
    PublishedFit,
    name=NAMES,
    zenith=ZENITHS,
    azimuth=AZIMUTHS,
    ndof=st.none() | st.integers(-5, 5000),
    **dict.fromkeys(("x", "y", "z", "time", "energy", "llh"), OPTIONAL),
)
PULSE_ROWS = st.tuples(st.integers(1, 86), st.integers(1, 60), FINITE, POSITIVE32, POSITIVE32, st.integers(0, 255))


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    rows = np.array(draw(st.lists(PULSE_ROWS, min_size=1, max_size=20)), PULSE)
    return Alert(
        header=draw(HEADERS),
        pulses=rows[np.lexsort((rows["time"], rows["om"], rows["string"]))],
        fits=tuple(draw(st.lists(FITS, max_size=3))),
        truth=draw(st.none() | TRUTHS),
    )


def same(one: Alert, other: Alert) -> bool:
    fits = zip(one.fits, other.fits, strict=True)
    return (
        one.header == other.header
        and one.pulses.tobytes() == other.pulses.tobytes()
        and all(repr(first) == repr(second) for first, second in fits)  # NaN is not NaN
        and one.truth == other.truth
    )


@given(alert=alerts())
@settings(max_examples=150)
def test_exact_and_canonical(alert: Alert) -> None:
    data = native.dumps(alert)
    read = native.loads(data)
    assert same(read, alert)
    assert native.dumps(read) == data
    assert same(load_alert_bytes(data, "any format"), alert)
    json.loads(data, parse_constant=pytest.fail)  # JSON for everybody: no NaN


@given(alert=alerts(), seed=st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_of_keys_rows_and_spaces_do_not_matter(alert: Alert, seed: Any) -> None:
    document = json.loads(native.dumps(alert))
    seed.shuffle(document["pulses"])
    shuffled = {key: document[key] for key in seed.sample(sorted(document), len(document))}
    assert sorted(native.loads(json.dumps(shuffled, indent=3).encode()).pulses.tolist()) == sorted(alert.pulses.tolist())


@pytest.fixture
def document() -> dict[str, Any]:
    pulse = {"string": 1, "om": 2, "time": 3.5, "charge": 1.25, "width": 8.0, "flags": 7}
    header = {"run_id": 1, "event_id": 2, "mjd": 60000.5, "event_type": "", "is_real": False}
    fit = {"name": "a", "zenith": 1.0, "azimuth": 2.0}
    truth = {"kind": "track", "zenith": 1.0, "azimuth": 2.0, "x": 1.0, "y": 2.0, "z": 3.0, "time": 4.0, "energy": 5.0}
    return {
        "format": "skymap-scanner-event",
        "version": 1,
        "header": header,
        "pulses": [dict(pulse) for _ in range(20)],
        "fits": [fit],
        "truth": truth,
    }


def test_what_may_be_left_out(document: dict[str, Any]) -> None:
    del document["fits"], document["truth"]
    alert = native.loads(json.dumps(document).encode())
    assert alert.fits == ()
    assert alert.truth is None


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("pulses", 12, "time"), "late", "pulses[12].time: expected `float`, got `str`"),
        (("pulses", 12, "time"), None, "pulses[12].time: expected `float`, got `null`"),
        (("pulses", 3, "string"), 87, "pulses[3].string: expected `int` <= 86"),
        (("pulses", 3, "om"), 0, "pulses[3].om: expected `int` >= 1"),
        (("pulses", 0, "charge"), -1, "pulses[0].charge: expected `float` >= 0.0"),
        (("pulses", 0, "charge"), 1e39, "pulses[0].charge: expected `float` <= 3.4e+38"),
        (("pulses", 0, "flags"), 256, "pulses[0].flags: expected `int` <= 255"),
        (("pulses", 0, "colour"), 1, "pulses[0]: object contains unknown field `colour`"),
        (("header", "run_id"), 1.5, "header.run_id: expected `int`"),
        (("header", "mjd"), True, "header.mjd: expected `float`, got `bool`"),
        (("header", "is_real"), 1, "header.is_real: expected `bool`, got `int`"),
        (("fits", 0, "zenith"), 3.2, "fits[0].zenith: expected `float` <= 3.14159"),
        (("truth", "energy"), -1, "truth.energy: expected `float` >= 0.0"),
        (("version",), 2, "format 'skymap-scanner-event' version 2 is not supported ('skymap-scanner-event' version 1 is)"),
        (("extra",), 2, "object contains unknown field `extra`"),
    ],
)
def test_errors_name_the_place(path: tuple[Any, ...], value: Any, words: str, document: dict[str, Any]) -> None:
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(EventError) as caught:
        load_alert_bytes(json.dumps(document).encode(), "event.json")
    assert str(caught.value).startswith(f"event.json: {words}")


def test_missing_fields_are_named(document: dict[str, Any]) -> None:
    del document["pulses"][4]["width"]
    with pytest.raises(EventError, match=re.escape("pulses[4]: object missing required field `width`")):
        native.loads(json.dumps(document).encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_are_finite(number: str, document: dict[str, Any]) -> None:
    data = json.dumps(document).replace("3.5", number, 1).encode()
    with pytest.raises(EventError):
        load_alert_bytes(data, "event.json")
    with pytest.raises(EventError):
        native.loads(data)


def test_no_pulses(document: dict[str, Any]) -> None:
    document["pulses"] = []
    with pytest.raises(NoSignal, match="the event has no pulses"):
        native.loads(json.dumps(document).encode())


def test_other_formats_are_told(document: dict[str, Any]) -> None:
    document["format"] = "csv"
    with pytest.raises(EventError, match="format 'csv' version 1 is not supported"):
        native.loads(json.dumps(document).encode())


@pytest.mark.parametrize("field", ["time", "charge", "width"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_not_finite_is_not_written(field: str, number: float, document: dict[str, Any]) -> None:
    alert = native.loads(json.dumps(document).encode())
    pulses = alert.pulses.copy()
    pulses[field][7] = number
    with pytest.raises(EventError, match=rf"pulses\[7\]\.{field} is not finite"):
        native.dumps(dataclasses.replace(alert, pulses=pulses))


def test_one_line_per_pulse(document: dict[str, Any]) -> None:
    lines = native.dumps(native.loads(json.dumps(document).encode())).decode().splitlines()
    assert lines[0] == '{"format": "skymap-scanner-event", "version": 1,'
    assert lines[-2] == '{"string":1,"om":2,"time":3.5,"charge":1.25,"width":8.0,"flags":7}'
    assert len([line for line in lines if line.startswith('{"string"')]) == 20


def test_the_example_of_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert native.dumps(native.loads(example.encode())).decode() == example


@pytest.mark.parametrize(
    "name", ["138632_31747601.json", "event_HESE_2017-11-28.json", "run00136662-evt000035405932-BRONZE.pkl"]
)
def test_real_alerts(name: str, events: Path, tmp_path: Path) -> None:
    alert = load_alert(events / name)
    path = tmp_path / "event.json"
    path.write_bytes(native.dumps(alert))
    assert same(load_alert(path), alert)
