"""Who gets how many slots, wherever they are: the urgent lane, owners by weight and quota, priorities of each owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from ewms.core.scheduler.claim import Piece
from ewms.core.scheduler.sharing import Claim, evenly, weighted
from ewms.core.scheduler.view import Owner


class Usage:
    """What owners have beside what is being divided."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        self._owners = {owner.name: owner for owner in owners}
        self._used: defaultdict[str, int] = defaultdict(int)
        self._shares: defaultdict[tuple[str, bool], int] = defaultdict(int)

    def hold(self, owner: str, workers: int) -> None:
        """Workers that count against a quota only."""
        self._used[owner] += workers

    def take(self, piece: Piece) -> None:
        """What a piece was granted."""
        self._used[piece.work.owner] += piece.grant
        self._shares[piece.work.owner, piece.urgent] += piece.grant

    def room(self, owner: str) -> int | None:
        """Workers that its quota has left; None without one."""
        known = self._owners.get(owner)
        return None if known is None or known.quota is None else max(0, known.quota - self._used[owner])

    def claim(self, owner: str, most: int, *, urgent: bool) -> Claim:
        """The claim of an owner who could use that many slots in a lane."""
        known = self._owners.get(owner)
        return Claim(most, self._shares[owner, urgent], 1.0 if known is None else known.weight)


def divide(pieces: Sequence[Piece], slots: int, usage: Usage) -> None:
    """Set `grant` of pieces, which come in serving order: urgent ones first, then the others of what is left."""
    spent: defaultdict[str, int] = defaultdict(int)
    for urgent in (True, False):
        lane: defaultdict[str, list[Piece]] = defaultdict(list)
        for piece in pieces:
            if piece.urgent is urgent:
                piece.grant = 0
                if piece.claim:
                    lane[piece.work.owner].append(piece)
        owners = sorted(lane)
        claims = []
        for owner in owners:
            most, room = sum(piece.claim for piece in lane[owner]), usage.room(owner)
            most = most if room is None else min(most, room - spent[owner])
            claims.append(usage.claim(owner, most, urgent=urgent))
        for owner, given in zip(owners, weighted(claims, slots), strict=True):
            _by_priority(lane[owner], given)
            spent[owner] += given
            slots -= given


def _by_priority(pieces: list[Piece], slots: int) -> None:
    """Divide an owner's slots: higher priorities first, equals evenly."""
    for _, group in groupby(pieces, key=lambda piece: piece.work.priority):
        if not slots:
            return
        equals = list(group)
        for piece, given in zip(equals, evenly([piece.claim for piece in equals], slots), strict=True):
            piece.grant = given
            slots -= given
