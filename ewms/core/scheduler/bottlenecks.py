"""Who gets how many slots when not everybody may use every cluster.

Slots are first divided as if every workload could go anywhere. Where that gives some clusters more than they hold, these
are divided among those who can go nowhere else, and the other clusters among the rest, counting what each owner got in the
first. For workloads whose use is only bounded by sets of clusters this is exactly max-min fair (Fujishige's decomposition).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ewms.core.scheduler.claim import Piece
from ewms.core.scheduler.fairness import Usage, divide
from ewms.core.scheduler.transport import Transport


def settle(pieces: Sequence[Piece], capacities: list[int], usage: Usage, without: int = 0) -> None:
    """Set `grant` of all pieces such that they can be placed, and count it in `usage`.

    Parameters
    ----------
    capacities
        Slots of each cluster, 0 for those that are divided elsewhere.
    without
        The mask of those.
    """
    divide(pieces, sum(capacities), usage)
    narrow = _overloaded(pieces, capacities, without)
    if not narrow:
        for piece in pieces:
            usage.take(piece)
        return
    inside = [piece for piece in pieces if not piece.mask & ~(narrow | without)]
    claims = [piece.claim for piece in inside]
    for piece in inside:
        piece.claim = piece.grant  # what it would not get where nothing is scarce it does not get here
    settle(inside, _only(capacities, narrow), usage, without)
    for piece, claim in zip(inside, claims, strict=True):
        piece.claim = claim
    outside = [piece for piece in pieces if piece.mask & ~(narrow | without)]
    settle(outside, _only(capacities, ~narrow), usage, without | narrow)


def _only(capacities: list[int], mask: int) -> list[int]:
    return [slots if mask >> number & 1 else 0 for number, slots in enumerate(capacities)]


def _overloaded(pieces: Sequence[Piece], capacities: list[int], without: int) -> int:
    """The clusters that those who can go nowhere else would fill beyond what they hold; 0 if there are none."""
    supplies: defaultdict[int, int] = defaultdict(int)
    for piece in pieces:
        supplies[piece.mask & ~without] += piece.grant
    transport = Transport(capacities)
    stuck = [mask for mask, workers in sorted(supplies.items()) if transport.place(mask, workers)]
    narrow = 0
    for mask in stuck:
        narrow |= transport.closed(mask)
    return narrow
