"""`crash_dummy`: `dummy` on a bad day. Crashes and hangs depend on what is asked and on the attempt: they are repeatable."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import ClassVar

from skymap_scanner.recos.base import Answer, Pixel
from skymap_scanner.recos.dummy import Dummy, chance

CRASH_RATE = "SKYMAP_SCANNER_CRASH_RATE"
"""Environment variable: which part of the attempts kills its process; 0.3 by default."""
HANG_RATE = "SKYMAP_SCANNER_HANG_RATE"
"""Environment variable: which part of the attempts never ends; none by default."""


class CrashDummy(Dummy):
    """Gives what `Dummy` gives, if it gives anything."""

    name: ClassVar[str] = "crash_dummy"

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """Perhaps take the process down before anything is answered."""
        for pixel in pixels:
            asked = (pixel.nside, pixel.index, pixel.variation, pixel.seeds, pixel.attempt)
            if chance("crash", *asked) < float(os.environ.get(CRASH_RATE, "0.3")):
                os._exit(1)
            while chance("hang", *asked) < float(os.environ.get(HANG_RATE, "0")):
                time.sleep(3600)
        return super().reconstruct(pixels)
