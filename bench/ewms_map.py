"""`ewms.map`, results in the caller's hand and in order: `python -m bench.ewms_map EVENTS`."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator

import ewms
from bench.ewms_run import WARM_UP, WORKERS
from bench.tasks import same


def main() -> None:
    """Print seconds from the first input to the last result."""
    events = int(sys.argv[1])
    warm = threading.Event()

    def inputs() -> Iterator[int]:
        yield from range(WARM_UP)
        warm.wait()
        yield from range(events)

    results = ewms.map(same, inputs(), workers=WORKERS)
    for _ in itertools.islice(results, WARM_UP):
        pass
    started = time.monotonic()
    warm.set()
    received = list(results)
    seconds = time.monotonic() - started
    if received != list(range(events)):
        raise SystemExit("the results are not those of the tasks")
    print(json.dumps({"seconds": seconds, "version": ewms.__version__}))


if __name__ == "__main__":
    main()
