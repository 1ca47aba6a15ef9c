"""The phases of a taskforce and the states of a workflow, with the changes that are allowed, as data."""

from __future__ import annotations

import enum


class Phase(enum.StrEnum):
    """Where a taskforce is; the first seven are EWMS's, by name and meaning."""

    PRE_MQ_ACTIVATION = "pre-mq-activation"
    """Its queues do not exist yet."""
    PRE_LAUNCH = "pre-launch"
    """Waits for the scheduler."""
    PENDING_STARTER = "pending-starter"
    """A TMS is to submit it."""
    CONDOR_SUBMIT = "condor-submit"
    """Submitted, and the TMS has said so."""
    PENDING_STOPPER = "pending-stopper"
    """A TMS is to remove it."""
    CONDOR_RM = "condor-rm"
    """Removed, and the TMS has said so."""
    CONDOR_COMPLETE = "condor-complete"
    """Nothing of it is left at the backend. Final."""


ALLOWED: dict[Phase, frozenset[Phase]] = {
    Phase.PRE_MQ_ACTIVATION: frozenset({Phase.PRE_LAUNCH, Phase.PENDING_STOPPER, Phase.CONDOR_COMPLETE}),
    Phase.PRE_LAUNCH: frozenset({Phase.PENDING_STARTER, Phase.PENDING_STOPPER, Phase.CONDOR_COMPLETE}),
    Phase.PENDING_STARTER: frozenset({Phase.CONDOR_SUBMIT, Phase.PENDING_STOPPER, Phase.CONDOR_RM, Phase.CONDOR_COMPLETE}),
    Phase.CONDOR_SUBMIT: frozenset({Phase.PENDING_STOPPER, Phase.CONDOR_RM, Phase.CONDOR_COMPLETE}),
    Phase.PENDING_STOPPER: frozenset({Phase.CONDOR_RM, Phase.CONDOR_COMPLETE}),
    Phase.CONDOR_RM: frozenset({Phase.CONDOR_COMPLETE}),
    Phase.CONDOR_COMPLETE: frozenset(),
}
"""To where a taskforce may go from each phase. One that was never submitted is complete as soon as it is stopped."""

ENDING = frozenset({Phase.PENDING_STOPPER, Phase.CONDOR_RM, Phase.CONDOR_COMPLETE})
"""Ending or ended: no new pilot."""


class WorkflowState(enum.StrEnum):
    """How a workflow stands."""

    PENDING = "pending"
    """No driver has taken it up yet."""
    RUNNING = "running"
    """A driver host drives it."""
    PAUSED = "paused"
    """Sends nothing, by the user's wish; goes on from where it is."""
    COMPLETE = "complete"
    """Every event is terminal and the product is written. Final, until letters are replayed."""
    FAILED = "failed"
    """Cannot go on, with a reason; resumable."""
    CANCELLED = "cancelled"
    """Given up by the user. Final."""


class Wish(enum.StrEnum):
    """What the user last asked of a workflow; the driver host makes it so."""

    RUN = "run"
    """Go on."""
    PAUSE = "pause"
    """Send nothing more until further notice."""
    FINISH = "finish"
    """EWMS's `finished`: take no more input, then be complete."""
    CANCEL = "cancel"
    """EWMS's `abort`: stop at once."""


FINAL = frozenset({WorkflowState.COMPLETE, WorkflowState.CANCELLED})
"""States that only replaying dead letters leaves."""
