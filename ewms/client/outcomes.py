"""What became of a workflow's events, in the order of acceptance, as a stream that survives broken connections."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec

from ewms.client.connection import Connection, ServiceUnavailable
from ewms.core import codecs

_SILENCE_SECONDS = 45.0
_PAUSE_SECONDS = 0.2
_FRUITLESS = 25
_JSON = "json"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is terminal."""

    order: int
    """Its place in the order of acceptance: where a stream goes on from."""
    id: str
    """The event's id."""
    task: str
    """The task that worked on it."""
    outputs: tuple[Any, ...] = ()
    """What the task returned (none or one value) or yielded (any number)."""
    codecs: tuple[str, ...] = ()
    """How the outputs are encoded, where not all of them are JSON: others are base64."""
    many: bool = False
    """Whether the task yielded."""
    reason: str | None = None
    """Why the event was given up on; None for a result."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The outputs as the task made them; `PayloadError` for a codec that is not known here."""
        if not self.codecs:
            return self.outputs
        pairs = zip(self.codecs, self.outputs, strict=True)
        return tuple(each if codec == _JSON else codecs.decode(codec, base64.b64decode(each)) for codec, each in pairs)

    @property
    def value(self) -> Any:
        """What the task returned, None for nothing, a list where it yielded."""
        if self.many:
            return list(self.values)
        return self.values[0] if self.values else None


_decode = msgspec.json.Decoder(Ended).decode


def outcomes(connection: Connection, workflow_id: str, after: int = 0, *, wait: bool = True) -> Iterator[Ended]:
    """Events of the last tasks that have ended, each once.

    Parameters
    ----------
    after
        The order of the last one that is known already.
    wait
        Go on until the workflow has ended; otherwise until what has ended by now.

    Raises what `Connection.send` raises.
    """
    timeout = httpx2.Timeout(_SILENCE_SECONDS)
    fruitless = 0
    while fruitless < _FRUITLESS:
        query = {"after": str(after), "follow": "true" if wait else "false"}
        fruitless += 1
        try:
            with connection.open("GET", f"/api/workflows/{workflow_id}/outcomes", params=query, timeout=timeout) as answer:
                for line in answer.iter_lines():
                    if line.strip():
                        ended = _decode(line)
                        after, fruitless = ended.order, 0
                        yield ended
            return
        except (httpx2.TransportError, msgspec.DecodeError):  # broken off, perhaps in the middle of a line
            time.sleep(_PAUSE_SECONDS)
    raise ServiceUnavailable(f"{connection.url} breaks off whenever it tells the outcomes of {workflow_id}; see its log")
