"""The scheduler: how many workers each taskforce should have.

It has no memory and no clock: equal views give equal decisions, in whatever order a view names things, and a view in which
the decisions have come true gives the same decisions again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ewms.core.scheduler.bottlenecks import settle
from ewms.core.scheduler.claim import Piece, pieces
from ewms.core.scheduler.fairness import Usage
from ewms.core.scheduler.placement import place
from ewms.core.scheduler.surplus import keep
from ewms.core.scheduler.transport import Transport
from ewms.core.scheduler.view import Cluster, Decisions, View


def schedule(view: View) -> Decisions:
    """Decide for every taskforce of the view.

    Returns
    -------
    Decisions
        No cluster above its capacity, no owner above its quota, no workload and no taskforce above its limit, and no slot
        left free that one of them could use within these.
    """
    clusters = sorted((cluster for cluster in view.clusters if cluster.healthy), key=lambda cluster: cluster.name)
    bits = {cluster.name: number for number, cluster in enumerate(clusters)}
    usage = _usage(view, bits)
    served = pieces(view, bits)
    settle(served, _capacities(clusters), usage)
    transport = Transport(_capacities(clusters))
    place(served, bits, transport)
    surplus_since = keep(served, view, bits, transport.free, usage)
    workers = {each.uuid: 0 if each.cluster in bits else each.workers for each in view.taskforces}
    for piece in served:
        if piece.placed:
            workers.update(_by_taskforce(piece, bits))
    start = sorted(taskforce.uuid for taskforce in view.taskforces if not taskforce.started and workers[taskforce.uuid])
    return Decisions(workers=workers, start=tuple(start), surplus_since=surplus_since)


def _capacities(clusters: Iterable[Cluster]) -> list[int]:
    return [max(0, cluster.capacity) for cluster in clusters]


def _usage(view: View, bits: dict[str, int]) -> Usage:
    """What owners have where nothing can be changed."""
    usage = Usage(view.owners)
    if len(bits) < len(view.clusters):
        owners = {work.key: work.owner for work in view.workloads}
        for taskforce in view.taskforces:
            if taskforce.cluster not in bits and taskforce.workload in owners:
                usage.hold(owners[taskforce.workload], taskforce.workers)
    return usage


def _by_taskforce(piece: Piece, bits: dict[str, int]) -> Iterable[tuple[str, int]]:
    """Of several taskforces at a cluster each keeps what it has, and the first gets what is new."""
    left = dict(piece.placed)
    first: dict[int, str] = {}
    found: dict[str, int] = {}
    for taskforce in piece.taskforces:
        cluster = bits[taskforce.cluster]
        first.setdefault(cluster, taskforce.uuid)
        found[taskforce.uuid] = staying = min(taskforce.workers, left.get(cluster, 0))
        if staying:
            left[cluster] -= staying
    for cluster, workers in left.items():
        if workers:
            found[first[cluster]] += workers
    return found.items()
