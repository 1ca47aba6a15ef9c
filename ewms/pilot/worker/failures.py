"""From an exception in a task to what is reported of it."""

from __future__ import annotations

import importlib
import os
import traceback

import ewms
from ewms.core.errors import EwmsError
from ewms.core.wire import Failure, Kind, WorkEvent
from ewms.pilot.reasons import one_line

_OWN_CODE = os.path.join(os.path.dirname(os.path.abspath(ewms.__file__)), "")
_IMPORT_SYSTEM = os.path.join(os.path.dirname(importlib.__file__), "")
_TRACEBACK_CHARACTERS = 8 * 1024


def from_exception(event: WorkEvent, error: BaseException, seconds: float) -> Failure:
    """The failure of an event whose task raised."""
    return Failure(
        id=event.id,
        attempt=event.attempt,
        kind=Kind.FAILED,
        reason=describe(error),
        detail={"type": type(error).__qualname__, "traceback": user_traceback(error), "seconds": round(seconds, 6)},
    )


def describe(error: BaseException) -> str:
    """`ValueError: text` in one line of bounded length; our own errors speak for themselves."""
    name = type(error).__qualname__
    lines = traceback.format_exception_only(error)  # survives exceptions that cannot be printed
    line = next((line for line in lines if line.partition(":")[0].strip().endswith(name)), lines[-1])
    if isinstance(error, EwmsError):
        line = line.partition(": ")[2] or line
    return one_line(line)


def user_traceback(error: BaseException) -> str:
    """The end of the traceback, from the first frame of the user's code on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OWN_CODE):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))[-_TRACEBACK_CHARACTERS:]


def where(error: BaseException) -> str:
    """` (file.py line 3)`: the deepest frame that is neither ours nor the import system's; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({os.path.basename(error.filename)} line {error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<frozen ", _OWN_CODE, _IMPORT_SYSTEM))
    ]
    return f" ({os.path.basename(frames[-1].filename)} line {frames[-1].lineno})" if frames else ""
