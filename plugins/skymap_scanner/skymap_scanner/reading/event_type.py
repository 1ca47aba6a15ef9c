"""Which stream found an event, by the rules of IceCube's own scanner."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

ALERT_MESSAGE: Final = "AlertShortFollowupMsg"
"""Name of the short alert message among the objects of a frame."""

_BY_MESSAGE: Final = {"hese": "HESE", "ehe": "EHE", "neutrino": "neutrino", "estres": "ESTRES"}
"""First key of the message that is found decides."""
_BY_OBJECT: Final = {"HESE_llhratio": "HESE", "Estres_p_miss": "ESTRES", "PoleEHEOphelia_ImpLF": "EHE"}
"""Older events have no message; their streams leave objects of their own."""


def event_type(message: str | None, names: Collection[str]) -> str:
    """Name of the stream, or nothing where it is not known.

    Parameters
    ----------
    message : the short alert message (JSON), None if there is none.
    names : of the objects in the event's frames.
    """
    if message is None:
        return next((kind for name, kind in _BY_OBJECT.items() if name in names), "")
    try:
        keys = json.loads(message)
    except (ValueError, RecursionError):
        return ""
    return next((kind for key, kind in _BY_MESSAGE.items() if isinstance(keys, dict) and key in keys), "")
