"""Alerts made by hand: what is read from them, and what each kind of damage is called."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from skymap_scanner.errors import EventError, NoSignal
from skymap_scanner.reading import limits, load_alert_bytes


def test_what_an_alert_says(small_alert: bytes) -> None:
    alert = load_alert_bytes(small_alert, "here")
    assert (alert.header.run_id, alert.header.event_id, alert.header.is_real) == (138632, 7, True)
    assert alert.header.mjd == 59945.0 + 123 / 864e12
    assert alert.pulses[["string", "om"]].tolist() == [(2, 30), (2, 30), (5, 7)]
    assert alert.pulses["time"].tolist() == [10.5, 20.0, 15.0]
    assert alert.pulses["charge"].tolist() == [1.0, 2.5, 0.5]
    (fit,) = alert.fits
    assert (fit.name, fit.zenith, fit.azimuth, fit.x, fit.time, fit.energy) == ("Fit", 1.5, 0.25, 1.0, 900.0, 1e4)
    assert (fit.llh, fit.ndof) == (12.5, 5)


def test_old_messages_list_their_frames(
    small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes], small_alert: bytes
) -> None:
    old = message_of({"Q": frame_of("Q", {}), "P": frame_of("P", small_objects)}, version="", listed=True)
    assert np.array_equal(load_alert_bytes(old, "old").pulses, load_alert_bytes(small_alert, "new").pulses)


@pytest.mark.parametrize(("version", "expected"), [("", 1), ("2021a", 1), ("2023a", 3), ("2024a", 3), ("2031z", 3)])
def test_the_format_says_which_pulses_are_meant(
    version: str,
    expected: int,
    small_objects: dict[str, bytes],
    body_of: Callable[..., bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
) -> None:
    one = body_of(
        "I3RecoPulseSeriesMap",
        0,
        struct.pack("<BBIBBBBiIBBBIBBdffB", 0, 0, 1, 0, 0, 0, 2, 1, 1, 0, 0, 0, 1, 0, 3, 5, 1, 1, 1),
    )
    message = message_of({"P": frame_of("P", {**small_objects, "SplitUncleanedInIcePulses": one})}, version=version)
    assert len(load_alert_bytes(message, "event").pulses) == expected


@pytest.mark.parametrize("name", ["SplitUncleanedInIcePulses", "UncleanedInIcePulses", "InIceDSTPulses"])
def test_older_names_of_pulses(
    name: str, small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    objects = {name if key == "SplitInIcePulses" else key: body for key, body in small_objects.items()}
    assert len(load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event").pulses) == 3


def test_published_fits_that_frames_have_too_are_not_repeated(
    small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    reco = {
        "same": {"zen": 1.5, "azi": 0.25},
        "spefit2": {"zen": 1.4, "azi": 6.2, "llh": 3.5, "ndof": 2, "rllh": 1.0},
        "no_numbers": {"zen": None, "azi": "north"},
        "energy": {"truncated": 1e5},
        "not a dict": 3,
    }
    alert = load_alert_bytes(message_of({"P": frame_of("P", small_objects)}, reco=reco), "event")
    assert [fit.name for fit in alert.fits] == ["Fit", "spefit2"]
    assert (alert.fits[1].zenith, alert.fits[1].llh, alert.fits[1].ndof) == (1.4, 3.5, 2)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, ""),
        ({"HESE_llhratio": b"?"}, "HESE"),
        ({"Estres_p_miss": b"?"}, "ESTRES"),
        ({"PoleEHEOphelia_ImpLF": b"?"}, "EHE"),
    ],
)
def test_type_of_old_events_by_their_objects(
    extra: dict[str, bytes],
    expected: str,
    small_objects: dict[str, bytes],
    body_of: Callable[..., bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
) -> None:
    objects = {**small_objects, **{name: body_of("I3Double", 0, bytes(8)) for name in extra}}
    assert load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event").header.event_type == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"neutrino": {}}', "neutrino"),
        ('{"neutrino": {}, "hese": {}}', "HESE"),
        ('{"ehe": 1}', "EHE"),
        ('{"estres": 1}', "ESTRES"),
        ('{"else": 1}', ""),
        ("[]", ""),
        ("not JSON", ""),
    ],
)
def test_type_by_the_short_message(
    text: str,
    expected: str,
    small_objects: dict[str, bytes],
    body_of: Callable[..., bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
) -> None:
    short = body_of("I3String", 0, struct.pack("<I", len(text)) + text.encode())
    objects = {**small_objects, "AlertShortFollowupMsg": short, "HESE_llhratio": body_of("I3Double", 0, bytes(8))}
    assert load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event").header.event_type == expected


def _with_frames(packed: Any) -> bytes:
    return json.dumps({"value": {"data": {"frames": packed}}}).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither JSON nor a pickle"),
        (b"not JSON", "neither JSON nor a pickle"),
        (b"[]", "value.data with its frames is missing"),
        (b'{"value": 1}', "value.data with its frames is missing"),
        (b'{"value": {"data": {"frames": {}}}}', "value.data with its frames is missing"),
        (_with_frames([]), "no I3EventHeader"),
        (_with_frames(["P"]), "frame 0: it is not a pair"),
        (_with_frames([["P", 3]]), "frame 0: it is not a pair"),
        (_with_frames([["P", "AAA"]]), "frame 0: its base64 text is malformed or cut short"),
        (_with_frames([["P", "\N{SNOWMAN}"]]), "frame 0: its base64 text is malformed"),
        (_with_frames([["P", "\ud800"]]), "frame 0: its base64 text is malformed"),
        (_with_frames([["P", "AAAA"]]), "frame 0: its compressed bytes are damaged"),
        (_with_frames([["P", base64.b64encode(zlib.compress(b"abcdef")[:-1]).decode()]]), "are cut short"),
        (_with_frames([["P", base64.b64encode(zlib.compress(b"N.")).decode()]]), "no frame in the pickle"),
        (_with_frames([["P", ""]] * 17), "the event has 17 frames; at most 16"),
        (b"[" * 100_000, "neither JSON nor a pickle"),
    ],
)
def test_what_is_no_alert_is_said_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(EventError) as caught:
        load_alert_bytes(data, "bad.json")
    assert str(caught.value).startswith("bad.json: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_not_inflated(message_of: Callable[..., bytes]) -> None:
    bomb = message_of({"P": b"[i3]" + bytes(limits.MAX_FRAME_BYTES)})
    assert len(bomb) < 100_000
    with pytest.raises(EventError, match=r"frame 0: it inflates to more than 33554432 bytes"):
        load_alert_bytes(bomb, "bomb")


def test_frames_share_one_limit(
    small_objects: dict[str, bytes],
    body_of: Callable[..., bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = frame_of("P", {"Large": body_of("I3Double", 0, bytes(4000))})
    message = message_of({"P0": large, "P1": large, "P2": frame_of("P", small_objects)})
    assert load_alert_bytes(message, "event").header.run_id == 138632
    monkeypatch.setattr(limits, "MAX_EVENT_BYTES", 8000)
    with pytest.raises(EventError, match=r"frame 1: it inflates to more than [0-9]{4} bytes"):
        load_alert_bytes(message, "event")


def test_base64_may_be_in_lines(small_alert: bytes) -> None:
    message = json.loads(small_alert)
    pair = message["value"]["data"]["frames"][1]
    pair[1] = "\n".join(pair[1][start : start + 76] for start in range(0, len(pair[1]), 76))
    assert len(load_alert_bytes(json.dumps(message).encode(), "event").pulses) == 3


def test_the_header_of_the_read_out_does_too(
    small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    objects = {"QI3EventHeader" if name == "I3EventHeader" else name: body for name, body in small_objects.items()}
    assert load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event").header.event_id == 7


def test_only_pulses_on_the_surface(
    small_objects: dict[str, bytes],
    body_of: Callable[..., bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
) -> None:
    fields = struct.pack("<BBIBBBBiIBBBIBBdffB", 0, 0, 1, 0, 0, 0, 2, 1, 61, 0, 0, 0, 1, 0, 3, 5, 1, 1, 1)
    objects = {**small_objects, "SplitInIcePulses": body_of("I3RecoPulseSeriesMap", 0, fields)}
    with pytest.raises(NoSignal, match=r"the event has no pulses in the ice \(SplitInIcePulses is empty\)"):
        load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event")


def test_an_event_without_pulses(
    small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    del (objects := dict(small_objects))["SplitInIcePulses"]
    with pytest.raises(NoSignal, match=r"event: the event has no pulses \(SplitInIcePulses, .* are all missing\)"):
        load_alert_bytes(message_of({"P": frame_of("P", objects)}), "event")


def test_frames_in_the_wrong_place(frame_of: Callable[..., bytes], message_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match="frame 0: it says that it is 'Q', the alert says 'P'"):
        load_alert_bytes(message_of({"P": frame_of("Q", {})}), "event")
