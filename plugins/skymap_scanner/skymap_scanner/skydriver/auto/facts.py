"""What rules look at: an alert in a few names and numbers. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from skymap_scanner.event import Alert
from skymap_scanner.pulses import module_keys
from skymap_scanner.reading import load_alert_bytes, pickled
from skymap_scanner.skydriver.auto.digest import content_digest

Value = bool | int | float | str
"""What a condition is compared with."""
_MOST_DATA: Final = 300
"""Values of the alert's own message that are kept; real alerts have some forty."""
_LONGEST: Final = 200
"""Letters of a name or a text among them."""
_DEEPEST: Final = 6
_LARGEST: Final = 2**53
"""Numbers up to which every integer is a float."""


class Facts(BaseModel):
    """Of one alert."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    """Of its content; see `content_digest`."""
    type: str
    """Event type, for example `gold` or `HESE`; empty if it is not known."""
    stream: tuple[str, ...] = ()
    """Streams and topics under which it was sent."""
    sender: str = ""
    """Service that sent it, as the message calls it."""
    real: bool
    """False for simulated events."""
    run: int
    """Number of the run."""
    event: int
    """Number of the event in its run."""
    mjd: float
    """Start of the read-out, modified Julian date."""
    charge: float
    """Photoelectrons of all pulses in the ice."""
    modules: int
    """Modules that were hit."""
    pulses: int
    """Pulses in the ice."""
    strings: int
    """Strings that were hit."""
    energy: float | None = None
    """GeV, the largest among the published ones; None where there is none."""
    fits: tuple[str, ...] = ()
    """Names of the published fits."""
    data: dict[str, Value] = {}
    """Texts, numbers and truths of the message's own data, by dotted path, such as `neutrino.bdt_up`."""

    def values(self, name: str) -> tuple[Value, ...]:
        """What a fact is, as a condition sees it; nothing where it is not known."""
        if name.startswith(DATA):
            path = name.removeprefix(DATA)
            return (self.data[path],) if path in self.data else ()
        value = getattr(self, name)
        if value is None or value == "":
            return ()
        return value if isinstance(value, tuple) else (value,)


DATA: Final = "data."
"""Begins the names of what stands in the message's own data."""


def facts_of(data: bytes, name: str) -> tuple[Alert, Facts]:
    """Read an alert, and say what rules want to know of it.

    Parameters
    ----------
    data : the file or the body: an i3live alert as JSON or pickle, or the plugin's own JSON.
    name : what messages call it.

    Raises
    ------
    EventError
        If it is no event.
    """
    alert = load_alert_bytes(data, name)
    message = _message(data)
    value = message.get("value")
    inner = value.get("data") if isinstance(value, dict) else None
    told = _told(inner if isinstance(inner, dict) else {})
    pulses, header = alert.pulses, alert.header
    return alert, Facts(
        digest=content_digest(alert),
        type=_text(header.event_type),
        stream=_streams(value if isinstance(value, dict) else {}),
        sender=_text(message.get("service")),
        real=header.is_real,
        run=header.run_id,
        event=header.event_id,
        mjd=header.mjd,
        charge=round(float(pulses["charge"].sum(dtype=float)), 3),
        modules=len(np.unique(module_keys(pulses))),
        pulses=len(pulses),
        strings=len(np.unique(pulses["string"])),
        energy=_energy(alert, told),
        fits=tuple(dict.fromkeys(_text(fit.name) for fit in alert.fits)),
        data=told,
    )


def _message(data: bytes) -> Mapping[str, Any]:
    """The alert as plain data; it was read once already, so it is one of the two."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = pickled.plain_data(data)
    return found if isinstance(found, dict) else {}


def _streams(value: Mapping[str, Any]) -> tuple[str, ...]:
    notify = value.get("zmqnotify")
    topics = notify.get("topics") if isinstance(notify, dict) else None
    found = [*_texts(value.get("streams")), *_texts(topics)]
    return tuple(dict.fromkeys(text for text in map(_text, found[:_MOST_DATA]) if text))


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """A text that any store can keep, cut where it is too long; nothing for what is none."""
    if not isinstance(value, str):
        return ""
    return value[:_LONGEST].replace("\0", "").encode("utf-8", "replace").decode()


def _told(data: Mapping[Any, Any]) -> dict[str, Value]:
    """The plain values of the message's data, without its frames."""
    found: dict[str, Value] = {}
    for path, value in _walk({key: inner for key, inner in data.items() if key != "frames"}, "", 0):
        if len(found) == _MOST_DATA:
            break
        found[path] = value
    return found


def _walk(data: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, Value]]:
    for key, value in data.items():
        path = f"{prefix}{_text(key)}"
        if not isinstance(key, str) or not key or len(path) > _LONGEST:
            continue
        match value:
            case dict() if depth < _DEEPEST:
                yield from _walk(value, f"{path}.", depth + 1)
            case bool():
                yield path, value
            case int() | float() if abs(value) <= _LARGEST:  # which no NaN is
                yield path, value
            case str():
                yield path, _text(value)
            case _:
                pass


def _energy(alert: Alert, told: Mapping[str, Value]) -> float | None:
    found = [fit.energy for fit in alert.fits]
    found += [float(value) for path, value in told.items() if path.startswith("reco.energy.") and not isinstance(value, str)]
    usable = [energy for energy in found if math.isfinite(energy) and energy > 0.0]
    return max(usable, default=None)
