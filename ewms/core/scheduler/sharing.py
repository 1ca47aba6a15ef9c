"""Whole slots divided fairly: nobody gets more while somebody with less could have it.

Both rules hand out slots as if one by one, always to whoever has least, so that a claim which shrinks to what was given
changes nobody else's slots: scheduling the result again gives the result.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import NamedTuple

_BEFORE_TIES = 1 - 1e-9


class Claim(NamedTuple):
    """What somebody would like, has already, and weighs."""

    most: int
    """Slots that it can use."""
    has: int = 0
    """Slots that it has beside these, which count in its share."""
    weight: float = 1.0
    """Twice the weight is twice the share."""

    def below(self, level: float) -> int:
        """Slots after which its share reaches the level."""
        return min(self.most, max(0, math.ceil(level * self.weight - self.has)))


def evenly(most: Sequence[int], slots: int) -> list[int]:
    """Slots for each of equals, none above what it can use; the first ones get what cannot be divided."""
    if sum(most) <= slots:
        return list(most)
    level, left, sharers = 0, slots, len(most)
    for bound in sorted(most):
        if (bound - level) * sharers > left:
            break
        left -= (bound - level) * sharers
        level, sharers = bound, sharers - 1
    more, left = divmod(left, sharers)
    level += more
    given = []
    for bound in most:
        extra = 1 if left and bound > level else 0
        given.append(min(bound, level) + extra)
        left -= extra
    return given


def weighted(claims: Sequence[Claim], slots: int) -> list[int]:
    """Slots for each claim: max-min by weight, counting what each has; of equals the first goes first."""
    if sum(claim.most for claim in claims) <= slots:
        return [claim.most for claim in claims]
    if all(claim.weight == claims[0].weight and not claim.has for claim in claims):
        return evenly([claim.most for claim in claims], slots)
    level = _BEFORE_TIES * _safe_level(claims, slots - len(claims) - 1)  # each is rounded up by less than a slot
    given = [claim.below(level) for claim in claims]
    _one_by_one(claims, given, slots - sum(given))
    return given


def _safe_level(claims: Sequence[Claim], slots: int) -> float:
    """The share that everybody could reach with so many slots if these could be divided; the least share with none."""
    steps = [(claim.has / claim.weight, claim.weight) for claim in claims]
    steps += [((claim.has + claim.most) / claim.weight, -claim.weight) for claim in claims]
    left, level, weight = float(max(0, slots)), 0.0, 0.0
    for share, change in sorted(steps):
        needed = weight * (share - level)
        if needed > left:
            return level + left / weight
        left, level, weight = left - needed, share, weight + change
    return level


def _one_by_one(claims: Sequence[Claim], given: list[int], slots: int) -> None:
    """Give out the last slots, each to the claim with the smallest share."""
    waiting = [
        ((claim.has + given[number]) / claim.weight, number)
        for number, claim in enumerate(claims)
        if given[number] < claim.most
    ]
    heapq.heapify(waiting)
    for _ in range(slots):
        _, number = heapq.heappop(waiting)
        given[number] += 1
        claim = claims[number]
        if given[number] < claim.most:
            heapq.heappush(waiting, ((claim.has + given[number]) / claim.weight, number))


def in_proportion(slots: int, room: Sequence[int]) -> list[int]:
    """Slots for each, in proportion to its room and within it; `slots` is at most the sum of all room."""
    whole = sum(room)
    if slots >= whole:
        return list(room)
    given = [slots * each // whole for each in room]
    rest = slots - sum(given)
    largest = sorted(range(len(room)), key=lambda number: (-(slots * room[number] % whole), number))
    for number in largest[:rest]:
        given[number] += 1
    return given
