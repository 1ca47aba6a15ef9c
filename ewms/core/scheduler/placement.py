"""Where granted workers are: as far as they can, where they are already; new ones in proportion to free slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ewms.core.scheduler.claim import Piece
from ewms.core.scheduler.sharing import in_proportion
from ewms.core.scheduler.transport import Transport


def place(pieces: Sequence[Piece], bits: dict[str, int], transport: Transport) -> None:
    """Set `placed` of all pieces, whose grants fit into the clusters of the transport."""
    kept = [_kept(piece, bits) for piece in pieces]
    _reserve(pieces, kept, transport)
    room = {mask: list(placed) for mask, placed in transport.placed.items()}
    for piece, workers in zip(pieces, kept, strict=True):
        for cluster, count in workers.items():
            piece.placed[cluster] = staying = min(count, room[piece.mask][cluster])
            room[piece.mask][cluster] -= staying
    for piece in pieces:
        missing = piece.grant - sum(piece.placed.values())
        if missing:
            free = room[piece.mask]
            for cluster, count in enumerate(in_proportion(missing, free)):
                if count:
                    piece.placed[cluster] = piece.placed.get(cluster, 0) + count
                    free[cluster] -= count


def _reserve(pieces: Sequence[Piece], kept: Sequence[dict[int, int]], transport: Transport) -> None:
    """Decide how many workers of each mask are in each cluster."""
    missing: defaultdict[int, int] = defaultdict(int)
    for piece, workers in zip(pieces, kept, strict=True):
        missing[piece.mask] += piece.grant
        for cluster, count in workers.items():
            missing[piece.mask] -= transport.put(piece.mask, cluster, count)
    for mask in sorted(missing, key=lambda mask: (mask.bit_count(), mask)):
        room = [slots if mask >> cluster & 1 else 0 for cluster, slots in enumerate(transport.free)]
        for cluster, count in enumerate(in_proportion(missing[mask], room)):
            missing[mask] -= transport.put(mask, cluster, count)
    for mask in sorted(missing):
        transport.place(mask, missing[mask])


def _kept(piece: Piece, bits: dict[str, int]) -> dict[int, int]:
    """Of the workers that a piece has, by cluster, as many as it was granted: first those that run."""
    if not piece.grant:
        return {}
    workers: dict[int, int] = {}
    running: dict[int, int] = {}
    for taskforce in piece.taskforces:
        if taskforce.workers:
            cluster = bits[taskforce.cluster]
            workers[cluster] = workers.get(cluster, 0) + taskforce.workers
            running[cluster] = running.get(cluster, 0) + min(taskforce.running, taskforce.workers)
    if sum(workers.values()) <= piece.grant:
        return workers
    clusters = sorted(workers)
    staying = in_proportion(piece.grant, [running[cluster] for cluster in clusters])
    waiting = [workers[cluster] - running[cluster] for cluster in clusters]
    staying = [stay + more for stay, more in zip(staying, in_proportion(piece.grant - sum(staying), waiting), strict=True)]
    return dict(zip(clusters, staying, strict=True))
