"""The life of one event, as a pure state machine.

```
            send                    result
 PLANNED ────────▶ SENT ──────────────────────────▶ ACCEPTED
    ▲  ▲            │ │ failed, vanished or returned    ▲
    │  └────────────┘ │ (attempt + 1)                   │ result of a copy,
    │ replay          ├─▶ HELD: out of tries, but a ────┤ or a late one on replay
    │                 │   speculative copy is out       │
    └─ BURIED ◀───────┴────────────┘ copy ended         │
         └──────────────────────────────────────────────┘
```

The first result of any attempt wins, whoever reports it. Every attempt can end unsuccessfully once; a second report on it,
or one on an attempt that is over, changes nothing.
"""

from __future__ import annotations

import enum

import msgspec

from ewms.core.retry import RetryPolicy
from ewms.core.wire import Kind

_VANISH_CAP = 3
"""Times `max_vanishes` at which an event is given up on even if one host alone was to blame."""


class Phase(enum.Enum):
    """Where an event stands."""

    PLANNED = "planned"
    """Waits to be sent, or for its retry's delay."""
    SENT = "sent"
    """The current attempt is with the broker or a pilot."""
    HELD = "held"
    """Out of tries, but a speculative copy may still succeed."""
    ACCEPTED = "accepted"
    """Terminal: has its one outcome."""
    BURIED = "buried"
    """Terminal until replayed: a dead letter."""


TERMINAL = frozenset({Phase.ACCEPTED, Phase.BURIED})


class Verdict(enum.Enum):
    """What a report means for the event."""

    ACCEPT = "event_accepted"
    """Take the result; the event is done."""
    RETRY = "event_retried"
    """Plan the next attempt."""
    BURY = "event_buried"
    """Give up; make it a dead letter."""
    HOLD = "event_held"
    """Give up unless the speculative copy succeeds."""
    KEEP = "late_result_kept"
    """Store the result with the dead letter."""
    DUPLICATE = "duplicate_dropped"
    """A second result; drop it."""
    STALE = "stale_report_dropped"
    """A report on an attempt that is already over; drop it."""
    COPY_ENDED = "copy_ended"
    """A speculative copy came to nothing; never counted."""


class Life(msgspec.Struct, gc=False):
    """State of one event's life; changed by `on_*` only."""

    phase: Phase = Phase.PLANNED
    """Where it stands."""
    attempt: int = 1
    """The current attempt."""
    failures: int = 0
    """Attempts that failed."""
    vanished: dict[str, str] = {}
    """Pilots that vanished with this event alone in hand, and their hosts."""
    single: bool = False
    """Travels as a message of its own from now on."""
    copy_out: bool = False
    """A speculative copy is out."""
    copied: int = 0
    """The attempt that was copied last: none is copied twice."""
    late_result: bool = False
    """A result arrived after the burial and is kept with the letter."""


def on_sent(life: Life) -> None:
    """The current attempt was handed to the broker."""
    if life.phase is Phase.PLANNED:
        life.phase = Phase.SENT


def on_lost(life: Life) -> bool:
    """Neither the current attempt nor a copy is out any more; whether the event is to be sent again.

    It is sent as the same attempt, but one that was held for its copy gets one more.
    """
    life.copy_out, life.copied = False, 0
    if life.phase not in {Phase.SENT, Phase.HELD}:
        return False
    if life.phase is Phase.HELD:
        life.attempt += 1
    life.phase = Phase.PLANNED
    return True


def on_copied(life: Life) -> bool:
    """A speculative copy of the current attempt is wanted; whether one may be sent."""
    if life.phase is not Phase.SENT or life.copy_out or life.copied == life.attempt:
        return False
    life.copy_out, life.copied = True, life.attempt
    return True


def on_result(life: Life) -> Verdict:
    """Any attempt, copy or not, succeeded."""
    if life.phase is Phase.ACCEPTED:
        return Verdict.DUPLICATE
    if life.phase is Phase.BURIED:
        if life.late_result:
            return Verdict.DUPLICATE
        life.late_result = True
        return Verdict.KEEP
    life.phase = Phase.ACCEPTED
    return Verdict.ACCEPT


def on_unsuccessful(
    life: Life, kind: Kind, attempt: int, policy: RetryPolicy, *, alone: bool, copy: bool, holder: str, host: str, hosts: int
) -> Verdict:
    """An attempt ended without a result.

    `alone` tells that no other event was in its message, `holder` and `host` which pilot had it; `hosts` is how many hosts
    have worked for this workflow.
    """
    if life.phase in TERMINAL:
        return Verdict.STALE
    if copy:
        return _on_copy_ended(life)
    if life.phase is not Phase.SENT or attempt != life.attempt:
        return Verdict.STALE
    if kind is Kind.FAILED:
        life.failures += 1
    elif kind is Kind.VANISHED and alone:
        life.vanished.setdefault(holder, host)
    life.single = life.single or kind is not Kind.RETURNED
    if kind is Kind.RETURNED or not _is_spent(life, policy, hosts):
        life.attempt += 1
        life.phase = Phase.PLANNED
        return Verdict.RETRY
    life.phase = Phase.HELD if life.copy_out else Phase.BURIED
    return Verdict.HOLD if life.copy_out else Verdict.BURY


def on_replay(life: Life) -> Verdict:
    """A dead letter is wanted alive again: with its late result if it has one, else as a new attempt."""
    if life.phase is not Phase.BURIED:
        return Verdict.STALE
    if life.late_result:
        life.phase = Phase.ACCEPTED
        return Verdict.ACCEPT
    life.phase = Phase.PLANNED
    life.attempt += 1
    life.failures = 0
    life.vanished = {}
    life.copy_out = False
    return Verdict.RETRY


def _on_copy_ended(life: Life) -> Verdict:
    if not life.copy_out:
        return Verdict.STALE
    life.copy_out = False
    if life.phase is Phase.HELD:
        life.phase = Phase.BURIED
        return Verdict.BURY
    return Verdict.COPY_ENDED


def _is_spent(life: Life, policy: RetryPolicy, hosts: int) -> bool:
    if life.failures >= policy.max_failures:
        return True
    vanishes = len(life.vanished)
    if vanishes < policy.max_vanishes:
        return False
    return hosts < 2 or len(set(life.vanished.values())) > 1 or vanishes >= _VANISH_CAP * policy.max_vanishes
