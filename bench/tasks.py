"""What the workers of every system run. Needs nothing but Python, because peers have interpreters of their own."""

from __future__ import annotations

import time

NAP_SECONDS = 0.01


def same(number: int) -> int:
    """No work at all: what comes in goes out."""
    return number


def nap(number: int) -> int:
    """A short task that costs no processor time."""
    time.sleep(NAP_SECONDS)
    return number
