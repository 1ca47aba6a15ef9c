"""What every peer does around its own way of submitting: warm up, take the time, check, print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

WARM_UP = 200
"""Tasks that are run first, so that no system is charged for its start."""


def measure(submit_and_wait: Callable[[range], list[int]], version: str) -> None:
    """Print seconds from the first submission to the last result in hand, for as many tasks as the command line says."""
    numbers = range(int(sys.argv[1]))
    submit_and_wait(range(WARM_UP))
    started = time.monotonic()
    results = submit_and_wait(numbers)
    seconds = time.monotonic() - started
    if results != list(numbers):
        raise SystemExit("the results are not those of the tasks")
    print(json.dumps({"seconds": seconds, "version": version}))
