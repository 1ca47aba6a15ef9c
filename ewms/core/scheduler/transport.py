"""Which numbers of workers fit into which clusters, when not everybody may use every cluster."""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import pairwise


class Transport:
    """Supplies with the clusters that each may use, placed one cluster after another and moved to make room.

    Parameters
    ----------
    capacities
        Slots of each cluster; a mask's bit n stands for cluster n.
    """

    def __init__(self, capacities: list[int]) -> None:
        self.free = list(capacities)
        self.placed: defaultdict[int, list[int]] = defaultdict(lambda: [0] * len(capacities))

    def put(self, mask: int, cluster: int, workers: int) -> int:
        """Place as many of these workers in a cluster as it has room for; how many that were."""
        fitting = min(workers, self.free[cluster])
        self.placed[mask][cluster] += fitting
        self.free[cluster] -= fitting
        return fitting

    def place(self, mask: int, workers: int) -> int:
        """Place workers in any cluster of the mask, moving others where that helps; how many did not fit."""
        while workers:
            path = self._path(mask)
            if path is None:
                break
            workers -= self._push(mask, path, workers)
        return workers

    def closed(self, mask: int) -> int:
        """The clusters that could make room for this mask, by any moves."""
        reached = mask
        grown = True
        while grown:
            grown = False
            for other, placed in self.placed.items():
                if other & ~reached and any(workers and reached >> cluster & 1 for cluster, workers in enumerate(placed)):
                    reached |= other
                    grown = True
        return reached

    def _path(self, mask: int) -> list[tuple[int, int]] | None:
        """Moves that free a slot: (cluster, mask that leaves it for the next cluster); the last cluster has room."""
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(_clusters(mask))
        queue = deque(sorted(came, key=lambda cluster: (-self.free[cluster], cluster)))
        while queue:
            cluster = queue.popleft()
            if self.free[cluster]:
                return _traced(came, cluster)
            for other in sorted(self.placed):
                if self.placed[other][cluster]:
                    for onward in _clusters(other):
                        if onward not in came:
                            came[onward] = (cluster, other)
                            queue.append(onward)
        return None

    def _push(self, mask: int, path: list[tuple[int, int]], workers: int) -> int:
        last = path[-1][0]
        pushed = min(workers, self.free[last], *(self.placed[other][cluster] for cluster, other in path[:-1]))
        self.placed[mask][path[0][0]] += pushed
        for (cluster, other), (onward, _) in pairwise(path):
            self.placed[other][cluster] -= pushed
            self.placed[other][onward] += pushed
        self.free[last] -= pushed
        return pushed


def _clusters(mask: int) -> list[int]:
    return [cluster for cluster in range(mask.bit_length()) if mask >> cluster & 1]


def _traced(came: dict[int, tuple[int, int] | None], last: int) -> list[tuple[int, int]]:
    path = [(last, 0)]
    while (step := came[path[0][0]]) is not None:
        path.insert(0, step)
    return path
