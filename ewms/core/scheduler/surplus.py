"""Workers without an event are kept for a while, since more may be about to come, where nobody else wants their slots."""

from __future__ import annotations

from collections.abc import Sequence

from ewms.core.scheduler.claim import Piece
from ewms.core.scheduler.fairness import Usage
from ewms.core.scheduler.view import View


def keep(pieces: Sequence[Piece], view: View, bits: dict[str, int], free: list[int], usage: Usage) -> dict[str, float]:
    """Add such workers to `placed`, as far as there are free slots; since when each of their workloads has some.

    Parameters
    ----------
    free
        Slots of each cluster that nobody wants; what is kept is taken off.
    """
    since: dict[str, float] = {}
    for piece in pieces:
        if not piece.spare or piece.grant < piece.claim:
            continue
        began = view.now if piece.work.surplus_since is None else piece.work.surplus_since
        if view.now - began < view.policy.grace and _keep(piece, bits, free, usage):
            since[piece.work.key] = began
    return since


def _keep(piece: Piece, bits: dict[str, int], free: list[int], usage: Usage) -> int:
    room = usage.room(piece.work.owner)
    left = surplus = piece.spare if room is None else min(piece.spare, room)
    here: dict[int, int] = {}
    for taskforce in piece.taskforces:
        here[bits[taskforce.cluster]] = here.get(bits[taskforce.cluster], 0) + taskforce.workers
    for cluster, workers in sorted(here.items()):
        kept = min(left, workers - piece.placed.get(cluster, 0), free[cluster])
        if kept > 0:
            piece.placed[cluster] = piece.placed.get(cluster, 0) + kept
            free[cluster] -= kept
            left -= kept
    usage.hold(piece.work.owner, surplus - left)
    return surplus - left
