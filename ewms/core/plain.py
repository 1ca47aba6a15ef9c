"""Messages of programs that know nothing of ewms, as events: a body is an event's body or an output's."""

from __future__ import annotations

import uuid
from typing import Any

import pydantic_core

from ewms.core import codecs, ids
from ewms.core.codecs import Payload
from ewms.core.errors import InputError, PayloadError
from ewms.core.spec import TaskSpec


def plain_body(value: Any) -> bytes:
    """An output as somebody else's message: text and bytes as they are, anything else as JSON."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    value = value.tolist() if codecs.is_ndarray(value) else value
    return pydantic_core.to_json(value, inf_nan_mode="constants", bytes_mode="base64")


def plain_payload(task: TaskSpec, body: bytes) -> Payload:
    """Somebody else's message as the body of an event.

    A command or container gets it as the JSON of its input file or as bytes, by the file's suffix; a Python consumer gets
    what the JSON stands for, and bytes where it is none.
    """
    if task.python is None:
        return Payload("json" if task.infile_suffix == ".json" else "bytes", body)
    try:
        codecs.decode("json", body)
    except PayloadError:
        return Payload("bytes", body)
    return Payload("json", body)


def foreign_event_id(message_id: str) -> str:
    """The id of an event that came under this name: the name itself, or a digest where it has characters we do not allow."""
    try:
        return ids.check_event_id(message_id)
    except InputError:
        return uuid.uuid5(uuid.NAMESPACE_OID, message_id).hex
