"""Bodies of events and outputs as the service shows them. What a pilot has sent is not trusted to name a place to read."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import msgspec

from ewms import blobs
from ewms.blobs import BlobRef
from ewms.core import codecs
from ewms.core.codecs import REFERENCE_MARK, Payload
from ewms.core.errors import InputError, UsageError
from ewms.wms.letters import jsonable

_JSON = "json"


class Body(NamedTuple):
    """A body as JSON can hold it."""

    codec: str
    """How it was encoded."""
    value: Any
    """What JSON stands for; of any other codec, base64 of what it wrote; None where it cannot be read."""
    problem: str = ""
    """Why it cannot be read, in one line."""


class Bodies:
    """Those of one workflow. Synchronous: large bodies are read from where they lie.

    Parameters
    ----------
    place
        URL below which the workflow's large bodies are; empty where there are none.
    """

    def __init__(self, place: str) -> None:
        self._place = f"{place}/" if place else ""

    def encoded(self, codec: str, data: bytes) -> Body:
        """A body with its codec, so that whoever has that can decode it."""
        try:
            payload = self._payload(codec, data)
            if payload.codec == _JSON:
                return Body(_JSON, codecs.decode(*payload))
            return Body(payload.codec, base64.b64encode(payload.data).decode())
        except UsageError as error:
            return Body(_JSON, None, str(error))

    def shown(self, codec: str, data: bytes) -> Any:
        """A body for people: decoded, arrays as lists, bytes as base64; why it cannot be read, if it cannot."""
        try:
            value = jsonable(codecs.decode(*self._payload(codec, data)))
        except UsageError as error:
            return {"unreadable": str(error)}
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    def _payload(self, codec: str, data: bytes) -> Payload:
        if codec.startswith(REFERENCE_MARK) and not self._is_ours(data):
            raise InputError("the body is a reference to where no bodies of this workflow are; it is not followed")
        return blobs.resolve(codec, data)

    def _is_ours(self, data: bytes) -> bool:
        try:
            url = msgspec.msgpack.decode(data, type=BlobRef).url
        except msgspec.MsgspecError:
            return False
        return bool(self._place) and url.startswith(self._place) and "/.." not in url
