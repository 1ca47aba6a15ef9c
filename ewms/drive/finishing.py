"""The end of a workflow at its driver host: product, counts and an empty broker."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from ewms.core.service.files import PRODUCT
from ewms.core.service.phases import WorkflowState
from ewms.drive.keeping import keep, registered, results_of
from ewms.drive.partials import Partials
from ewms.drive.public import PublicQueues
from ewms.drive.record import Record
from ewms.drive.services import Services
from ewms.drive.standing import Standing
from ewms.drive.workspace import Workspace
from ewms.local.results import Results
from ewms.wms.driver import Driver, Stop


class Work(NamedTuple):
    """The parts of one life."""

    driver: Driver
    """Its driver."""
    standing: Standing
    """How far it is."""
    results: Results
    """What it leaves."""
    workspace: Workspace
    """Where."""
    public: PublicQueues
    """Its queues with a way to the outside."""
    partials: Partials
    """What it shows while it runs."""


async def finish(work: Work, stop: Stop | None, record: Record, services: Services) -> None:
    """Make a workflow final whose driver has ended; the host has it no more then.

    Parameters
    ----------
    stop
        Why the driver ended: None where every event is terminal, `INTERRUPTED` where the user has enough, `CANCELLED`.
    """
    driver, results = work.driver, work.results
    is_cancelled = stop is Stop.CANCELLED
    state = WorkflowState.CANCELLED if is_cancelled else WorkflowState.COMPLETE
    unfinished = driver.ledger.outstanding
    reason = f"ended by the user with {unfinished} events unfinished" if stop is not None and unfinished else ""
    await driver.command("cancel" if is_cancelled else "end")
    if not is_cancelled:
        await asyncio.to_thread(results.write_product, driver.ledger.host, driver.ledger.router)
    await asyncio.to_thread(results.leave, state.value, reason, driver)
    contents = await asyncio.to_thread(keep, services.files, results_of(work.workspace.directory))
    note = await asyncio.to_thread(work.partials.note)
    await driver.delete_queues()
    await work.public.delete(services.broker, outputs=stop is not None)
    work.standing.read()
    # A partial product is all that is left of one that was cancelled.
    superseded = {} if is_cancelled else {"partial": ()}
    await record.release(
        *(() if is_cancelled else work.partials.removal()),
        *registered(record.workflow_id, contents),
        files={name: content.sha256 for name, content in contents.items()},
        state=state,
        reason=reason,
        active=False,
        product=tuple(name for name in contents if name.startswith(PRODUCT)),
        note=note,
        **superseded,
        **work.standing.fields(),
    )
    if not is_cancelled:
        await asyncio.to_thread(work.partials.clear)
