"""What each workload asks for, before anybody else is considered."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ewms.core.scheduler.view import Policy, Taskforce, View, Workload


@dataclass(slots=True, kw_only=True)
class Piece:
    """Taskforces that are interchangeable: those of a workload that are not fixed, or a fixed one."""

    work: Workload
    """Whose they are."""
    urgent: bool
    """Whether it may take slots from what is not."""
    taskforces: list[Taskforce]
    """By uuid; at clusters that are healthy."""
    mask: int
    """Their clusters, a bit for each."""
    claim: int
    """Workers that it can use."""
    spare: int = 0
    """Workers beside these that it has and could keep for a while."""
    grant: int = 0
    """Workers that it gets."""
    placed: dict[int, int] = field(default_factory=dict)
    """The same by cluster."""


def wanted(work: Workload, backlog: int, workers: int, now: float, policy: Policy) -> int:
    """Workers that a workload can use for that many events, given how many it has.

    What it has it keeps for as long as there is an event for each: more than the horizon asks for means that the work ends
    within the horizon, and taking slots away would only put that off.
    """
    if work.priority >= policy.urgent:
        return backlog
    seconds = work.seconds
    if seconds is None:  # no event has ended yet, so one takes longer than it has been running
        seconds = 0.0 if work.running_since is None else max(0.0, now - work.running_since)
    needed = max(1, math.ceil(backlog * seconds / policy.horizon))
    return min(max(needed, workers), backlog)


def pieces(view: View, bits: dict[str, int]) -> list[Piece]:
    """All that can be given workers, in the order in which equals are served.

    Parameters
    ----------
    bits
        The number of each healthy cluster; a taskforce elsewhere keeps its workers, which count against the limit.
    """
    taskforces: defaultdict[str, list[Taskforce]] = defaultdict(list)
    for taskforce in view.taskforces:
        taskforces[taskforce.workload].append(taskforce)
    found = [piece for work in view.workloads for piece in _pieces_of(work, taskforces[work.key], bits, view)]
    found.sort(key=lambda piece: (-piece.work.priority, piece.work.submitted, piece.work.key, piece.taskforces[0].uuid))
    return found


def _pieces_of(work: Workload, taskforces: list[Taskforce], bits: dict[str, int], view: View) -> Iterable[Piece]:
    urgent = work.priority >= view.policy.urgent
    ordered = sorted(taskforces, key=lambda taskforce: taskforce.uuid) if len(taskforces) > 1 else taskforces
    backlog, bound = work.backlog, math.inf if work.limit is None else work.limit
    flexible, mask = [], 0
    for taskforce in ordered:
        number = bits.get(taskforce.cluster)
        if taskforce.fixed is not None:
            if number is not None:
                backlog -= taskforce.fixed
                yield Piece(work=work, urgent=urgent, taskforces=[taskforce], mask=1 << number, claim=taskforce.fixed)
        elif number is None:
            bound -= taskforce.workers
        else:
            flexible.append(taskforce)
            mask |= 1 << number
    if flexible:
        workers = sum(taskforce.workers for taskforce in flexible)
        most = max(0, bound)
        claim = int(min(most, wanted(work, max(0, backlog), workers, view.now, view.policy)))
        spare = int(max(0, min(most, workers) - claim))
        yield Piece(work=work, urgent=urgent, taskforces=flexible, mask=mask, claim=claim, spare=spare)
