"""A container whose program stays up: an event is a line of JSON on its stdin, and its answer one on its stdout."""

from __future__ import annotations

import json
from typing import Any

import pydantic_core

from ewms import blobs
from ewms.core.cost import Cost
from ewms.core.errors import PayloadError
from ewms.core.wire import WorkEvent
from ewms.pilot.containers import mounts
from ewms.pilot.containers.base import Launch
from ewms.pilot.containers.ground import Ground
from ewms.pilot.containers.kept_up import KeptUp
from ewms.pilot.executors.single import TaskFailed
from ewms.pilot.placeholders import Places
from ewms.pilot.reasons import one_line


class LinesRunner:
    """Sends `{"id": …, "body": …}` and takes `{"output": …}`, `{}` for no output, or `{"error": "why"}`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._kept_up = KeptUp(ground, self._launch)

    async def run(self, event: WorkEvent, _cost: Cost) -> Any:
        """See `SingleExecutor.work`."""
        line = _question(event.id, blobs.load(event.codec, event.data))
        answer, _ = await self._kept_up.ask(line)
        reply = _reply(answer)
        if "error" in reply:
            raise TaskFailed(one_line(str(reply["error"])), {"type": "error", **await self._kept_up.tails()})
        if "output" not in reply and self._ground.container.output_required:
            raise PayloadError('the container has answered without "output"')
        return reply.get("output")

    async def close(self) -> None:
        """End the container."""
        await self._kept_up.close()

    def _launch(self) -> Launch:
        arguments = Places("", "", mounts.HUB).fill(self._ground.container.arguments)
        return self._ground.launch(None, arguments, interactive=True)


def _question(event_id: str, body: Any) -> bytes:
    try:
        return pydantic_core.to_json({"id": event_id, "body": body}, inf_nan_mode="constants", bytes_mode="utf8") + b"\n"
    except (ValueError, pydantic_core.PydanticSerializationError) as error:
        raise PayloadError(
            f'a body of type {type(body).__qualname__} cannot be sent as a line of JSON: {error}; use warm = "files"'
        ) from error


def _reply(line: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(line)
    except ValueError as error:
        raise PayloadError(
            f"the container answered {line[:80]!r}, which is no JSON ({error}); its stdout is for answers alone"
        ) from error
    if not isinstance(reply, dict) or not reply.keys() <= {"id", "output", "error"}:
        raise PayloadError(f'the container answered {line[:80]!r}; answer {{"output": …}} or {{"error": "why"}}')
    return reply
