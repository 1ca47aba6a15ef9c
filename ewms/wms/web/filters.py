"""How figures and times are written in pages. Pure."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_SPANS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
NARROW_SPACE = "\u202f"
"""Between thousands."""
NOTHING = "\u2013"
"""Where there is no figure."""


def number(value: float | None) -> str:
    """A count in full, with its thousands apart; a dash where there is none."""
    return NOTHING if value is None else f"{value:,}".replace(",", NARROW_SPACE)


def size(count: int) -> str:
    """Bytes in the unit that suits them."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}" if unit else f"{count} B"


def duration(seconds: float | None) -> str:
    """A span of time in one or two units; a dash where there is none."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 1:
        return f"{1e6 * seconds:.2g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    for span, unit in _SPANS:
        if seconds >= span:
            whole, rest = divmod(seconds, span)
            smaller = {"d": (3600, "h"), "h": (60, "min"), "min": (1, "s")}[unit]
            return f"{whole:.0f} {unit} {rest // smaller[0]:.0f} {smaller[1]}"
    raise AssertionError("unreachable: a span of at least a minute has a unit")


def moment(seconds: float | None) -> Markup:
    """A time since 1970 as an element that the browser shows in its own zone; a dash where there is none."""
    if not seconds:
        return Markup("&ndash;")
    when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    machine, words = when.isoformat(timespec="seconds"), f"{when:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{} UTC</time>').format(machine, words)


def words(text: str) -> Markup:
    """One line of the service for people, with its `commands` as such; escaped like any text."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(text.split("`"))
    )


def as_json(value: Any) -> str:
    """A value as people read JSON; escaped like any text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "size": size,
    "duration": duration,
    "moment": moment,
    "json": as_json,
    "words": words,
}
"""By their names in templates."""
