"""A scan in rounds: what is required is a function of the answers alone, and grows round by round to its fixed point.

A round is a set of pixels. When every variation of every pixel in it has an answer, the policy says from all that is then
known which pixels are next, and their seeds are taken from there too. So neither the order of answers nor what was sent
early can change which events are required, and the result is made of these alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from skymap_scanner.recos.base import Answer, Pixel
from skymap_scanner.scanning.disc import Pixels, parents
from skymap_scanner.scanning.refining import Chosen, Policy
from skymap_scanner.scanning.seeding import Seeding, pixel_id
from skymap_scanner.scanning.sky import Key, Sky, best_of


class Rounds:
    """The state of one scan.

    Parameters
    ----------
    policy
        Chooses pixels.
    seeding
        Makes them ready.
    """

    def __init__(self, policy: Policy, seeding: Seeding) -> None:
        self.sky = Sky()
        """All rounds that are over."""
        self._policy = policy
        self._seeding = seeding
        self._answers: dict[str, Answer | None] = {}
        self._required: set[Key] = set()
        self._round: dict[Key, list[str]] = {}
        self._missing: dict[Key, int] = {}
        self._waiting: dict[str, Key] = {}
        self._finished = 0
        self.planned: dict[int, int] = {}
        """Pixels of each level that are required so far."""
        self.done: dict[int, int] = {}
        """Those of them that have their final answer."""
        self.minimum: tuple[float, int, int] | None = None
        """Lowest -log L among these, with its nside and index."""

    @property
    def complete(self) -> bool:
        """Whether the fixed point is reached."""
        return bool(self._required) and not self._waiting

    @property
    def fraction(self) -> float:
        """Finished pixels of the current round by all of it."""
        return self._finished / max(1, len(self._round))

    @property
    def finest(self) -> int:
        """The finest nside of the current round; 0 between rounds."""
        return max((nside for nside, _ in self._round), default=0)

    def begin(self) -> list[Pixel]:
        """Return the first round."""
        return self._open(self._policy.first())

    def take(self, event_id: str, answer: Answer | None) -> list[Pixel]:
        """Take an answer, None for an event that was given up on; returns what is required from now on.

        An answer that was known, or is not required (yet), changes nothing now.
        """
        if event_id in self._answers:
            return []
        self._answers[event_id] = answer
        key = self._waiting.pop(event_id, None)
        if key is None:
            return []
        self._missing[key] -= 1
        if not self._missing[key]:
            self._finish(key)
        pixels: list[Pixel] = []
        while not self._waiting:
            self._close()
            opened = self._open(self._policy.refined(self.sky))
            if not opened:
                break
            pixels += opened
        return pixels

    def guess(self) -> list[Pixel]:
        """Return what would be required next if the pixels that are missing did not matter: may turn out not to be.

        Left out is what would start from the answer of a pixel that is missing still: in the end it starts elsewhere.
        """
        sky = self.so_far()
        ready = {nside: self._seeded(nside, indices) for nside, indices in self._policy.refined(sky).items()}
        return [pixel for variations in self._chosen(ready, sky) for pixel in variations]

    def _seeded(self, nside: int, indices: Pixels) -> Pixels:
        """Those of which the nearest coarser pixel that is required has its final answer."""
        ready = np.zeros(len(indices), bool)
        open_ = np.ones(len(indices), bool)
        for coarser in sorted((level for level in self.planned if level < nside), reverse=True):
            for position, parent in enumerate(parents(nside, indices, coarser).tolist()):
                if open_[position] and (coarser, parent) in self._required:
                    open_[position] = False
                    ready[position] = not self._missing.get((coarser, parent))
        return indices[ready | open_]

    def so_far(self) -> Sky:
        """Return all pixels that have their final answer, those of the current round too."""
        sky = self.sky.copy()
        for key, missing in self._missing.items():
            if not missing:
                sky.add(key, self._final(key))
        return sky

    def _open(self, chosen: Chosen) -> list[Pixel]:
        """Begin a round with the pixels that are new; what was answered before it was required is not waited for."""
        opened: list[Pixel] = []
        for variations in self._chosen(chosen, self.sky):
            ids = [pixel_id(pixel) for pixel in variations]
            key = (variations[0].nside, variations[0].index)
            self._required.add(key)
            self._round[key] = ids
            unanswered = [event_id for event_id in ids if event_id not in self._answers]
            self._missing[key] = len(unanswered)
            self._waiting |= dict.fromkeys(unanswered, key)
            self.planned[key[0]] = self.planned.get(key[0], 0) + 1
            if not unanswered:
                self._finish(key)
            opened += variations
        return opened

    def _finish(self, key: Key) -> None:
        """Every variation of a pixel has its answer."""
        nside, index = key
        self._finished += 1
        self.done[nside] = self.done.get(nside, 0) + 1
        llh = self._final(key).llh
        if math.isfinite(llh):
            self.minimum = min(self.minimum or (llh, nside, index), (llh, nside, index))

    def _final(self, key: Key) -> Answer:
        return best_of(self._answers[event_id] for event_id in self._round[key])

    def _chosen(self, chosen: Chosen, sky: Sky) -> Iterator[list[Pixel]]:
        for nside, indices in sorted(chosen.items()):
            new = np.array([index for index in indices.tolist() if (nside, index) not in self._required], dtype=np.int64)
            if len(new):
                yield from self._seeding.pixels(nside, new, sky)

    def _close(self) -> None:
        for key in self._round:
            self.sky.add(key, self._final(key))
        self._round, self._missing, self._finished = {}, {}, 0
