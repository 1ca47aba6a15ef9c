"""Terminal events of a workflow as JSON lines: those of its last tasks, in the order of acceptance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pydantic_core

from ewms.core.service.phases import FINAL, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.base import Terminal
from ewms.stores.collections import WORKFLOWS
from ewms.wms.access.caller import Caller
from ewms.wms.hosting import NO_OUTPUTS, decode_outputs
from ewms.wms.service.journals import Reading, in_parts, reading
from ewms.wms.service.state import ServiceState

_LINES_AT_ONCE = 500
_SIGN_OF_LIFE_SECONDS = 15.0
_EMPTY_LINE = b"\n"
_HAS_ENDED = FINAL | {WorkflowState.FAILED}


async def outcome_lines(state: ServiceState, workflow: WorkflowDocument, after: int, *, sort: bool) -> AsyncIterator[bytes]:
    """Lines of JSON, many at once, of what there is now.

    Parameters
    ----------
    after
        Only those above this place in the order of acceptance.
    sort
        In event order instead.
    """
    async for part, _ in _parts(state, workflow, after, sort=sort):
        yield part


async def followed_lines(
    state: ServiceState, caller: Caller, workflow: WorkflowDocument, after: int
) -> AsyncIterator[bytes]:
    """As `outcome_lines`, until the workflow has ended, with an empty line as a sign of life."""
    with state.watch.watcher(caller, workflow.workflow_id) as watcher:
        while True:
            # Read before the journal is: what comes after that is for the next round.
            workflow = await _fresh(state, workflow)
            async for part, last in _parts(state, workflow, after, sort=False):
                yield part
                after = last
            if workflow.state in _HAS_ENDED or state.stopping.is_set():
                return
            while not await watcher.sights(_SIGN_OF_LIFE_SECONDS) and not state.stopping.is_set():
                yield _EMPTY_LINE


async def _parts(
    state: ServiceState, workflow: WorkflowDocument, after: int, *, sort: bool
) -> AsyncIterator[tuple[bytes, int]]:
    """Lines with the greatest order among them."""
    async with reading(state, workflow) as found:
        if found is None:
            return
        terminals = found.journal.terminals(found.ends, by_rank=sort, after=after)
        async for part in in_parts(terminals, _LINES_AT_ONCE):
            lines = await asyncio.to_thread(_lines, part, found)
            yield lines, max(terminal.order for terminal in part)


def _lines(terminals: list[Terminal], found: Reading) -> bytes:
    return b"".join(_line(terminal, found) for terminal in terminals)


def _line(terminal: Terminal, found: Reading) -> bytes:
    outputs = [found.bodies.encoded(output.codec, output.data) for output in decode_outputs(terminal.outputs or NO_OUTPUTS)]
    line: dict[str, Any] = {
        "order": terminal.order,
        "id": terminal.event.id,
        "task": found.graph.tasks[terminal.event.task].name,
        "many": terminal.many,
        "outputs": [output.value for output in outputs],
        "reason": terminal.reason,
    }
    if any(output.codec != "json" for output in outputs):
        line["codecs"] = [output.codec for output in outputs]
    if problems := [output.problem for output in outputs if output.problem]:
        line["unreadable"] = problems[0]
    return pydantic_core.to_json(line, inf_nan_mode="constants") + b"\n"


async def _fresh(state: ServiceState, workflow: WorkflowDocument) -> WorkflowDocument:
    stored = await state.store.get(WORKFLOWS, workflow.workflow_id)
    return workflow if stored is None else WorkflowDocument.model_validate(stored.body)
