"""From a file, of whatever format, to an alert."""

from __future__ import annotations

import json
from pathlib import Path

from skymap_scanner.errors import EventError
from skymap_scanner.event import Alert
from skymap_scanner.reading import i3live, native, pickled
from skymap_scanner.reading.limits import MAX_FILE_BYTES

_PICKLES = (b"\x80", b"}", b"(")
"""What pickles of a dict start with in protocols 2 and later, 1 and 0; no JSON does."""


def load_alert(path: Path) -> Alert:
    """Read an event from a file.

    Raises
    ------
    EventError
        If it cannot be read or is not an event; the message names the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        message = (
            f"{path}: cannot be read ({error.strerror}); name an alert (.json or .pkl) or an event in the plugin's JSON"
        )
        raise EventError(message) from error
    return load_alert_bytes(data, str(path))


def load_alert_bytes(data: bytes, name: str) -> Alert:
    """Read an event from bytes: an i3live alert, as JSON or as a pickle of plain data, or the plugin's own JSON.

    Parameters
    ----------
    data : the file.
    name : what messages call it.

    Raises
    ------
    EventError
        If it is not an event; `NoSignal` if it is one without pulses.
    """
    try:
        if len(data) > MAX_FILE_BYTES:
            message = f"it is larger than {MAX_FILE_BYTES >> 20} MB, which no event is"
            raise EventError(message)
        return _load(data)
    except EventError as error:
        message = f"{name}: {error}"
        raise type(error)(message) from error


def _load(data: bytes) -> Alert:
    if data.startswith(_PICKLES):
        return i3live.alert_of(pickled.plain_data(data))
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        text = f"neither JSON nor a pickle ({error}); give an i3live alert or an event in the plugin's own JSON"
        raise EventError(text) from error
    if isinstance(message, dict) and message.get("format") == native.FORMAT:
        return native.loads(data)  # from the bytes, for its messages name places
    return i3live.alert_of(message)
