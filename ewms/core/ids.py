"""Identifiers: minted from time and entropy that the caller passes in, checked by one rule."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath

from ewms.core.errors import InputError

MAX_EVENT_ID = 200
_is_event_id = re.compile(r"[A-Za-z0-9._:/-]{1,200}", re.ASCII).fullmatch
_UNSAFE = re.compile(rb"[^A-Za-z0-9._/-]")


def workflow_id(now: float, entropy: bytes) -> str:
    """`WF-<hex epoch seconds>-<8 hex>`: sorts by time of creation."""
    return f"WF-{int(now):08x}-{entropy[:4].hex()}"


def pilot_id(entropy: bytes) -> str:
    """`PL-<12 hex>`."""
    return f"PL-{entropy[:6].hex()}"


def task_id(workflow: str, entropy: bytes) -> str:
    """`TK-<body of the workflow's id>-<8 hex>`."""
    return f"TK-{_body(workflow)}-{entropy[:4].hex()}"


def taskforce_uuid(task: str, entropy: bytes) -> str:
    """`TF-<body of the task's id>-<8 hex>`."""
    return f"TF-{_body(task)}-{entropy[:4].hex()}"


def queue_id(workflow: str, entropy: bytes) -> str:
    """`QU-<body of the workflow's id>-<8 hex>`: what the broker calls it, unique there too."""
    return f"QU-{_body(workflow)}-{entropy[:4].hex()}"


def _body(parent: str) -> str:
    return parent.partition("-")[2]


def check_event_id(event_id: str) -> str:
    """The id itself; `InputError` if it is not 1 to 200 characters of `[A-Za-z0-9._:/-]`."""
    if not isinstance(event_id, str) or not _is_event_id(event_id):
        raise InputError(
            f"event id {event_id!r:.260} is not allowed: use 1 to {MAX_EVENT_ID} characters of A-Z a-z 0-9 . _ : / -"
        )
    return event_id


def path_event_id(relative: PurePath) -> str:
    """An event id for a file: its relative path, with other characters as `:XX` and long paths cut to a digest."""
    raw = relative.as_posix().encode("utf-8", "surrogateescape")
    text = _UNSAFE.sub(lambda match: f":{match[0][0]:02X}".encode(), raw).decode("ascii")
    if len(text) <= MAX_EVENT_ID - 20:  # room for a page or child suffix
        return text
    return f"{text[:120]}-{hashlib.sha256(raw).hexdigest()[:32]}"


def child_event_id(parent: str, task: str, number: int) -> str:
    """`parent/task/n`, with a digest for the parent where that would be too long."""
    text = f"{parent}/{task}/{number}"
    if len(text) <= MAX_EVENT_ID:
        return text
    return f"{hashlib.sha256(parent.encode()).hexdigest()[:32]}/{task[:120]}/{number}"
