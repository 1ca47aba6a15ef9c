"""The figures of ewms, each taken from outside a real `ewms run`."""

from __future__ import annotations

import time

from bench.ewms_run import WARM_UP, WORKERS, ewms_run
from bench.process_memory import peak_mebibytes
from bench.sample import Sample, per_second
from bench.tasks import NAP_SECONDS

_LOOK_SECONDS = 0.05


def timed(workload: str, events: int) -> float:
    """Seconds from the moment at which the first event may be sent to the commit that holds the last outcome.

    Pilots are up by then and have run the warm-up events.
    """
    with ewms_run(workload, events) as run:
        run.observer.wait_for(WARM_UP)
        opened = run.open_gate()
        return run.observer.wait_for(WARM_UP + events) - opened


def throughput(workload: str, events: int) -> Sample:
    """Events per second, first send to last accepted."""
    return per_second(events, timed(workload, events))


def nap_efficiency(events: int) -> Sample:
    """Percent of what workers that nothing ever held up would reach."""
    seconds = timed("numbers:Naps", events)
    ideal = events * NAP_SECONDS / WORKERS
    return Sample(100 * ideal / seconds, note=f"{seconds:.2f} s, ideal {ideal:g} s")


def first_outcome(events: int) -> Sample:
    """Seconds from the start of the `ewms` program to the commit of the first outcome."""
    started = time.monotonic()
    with ewms_run("numbers:Numbers", events, warm_up=0) as run:
        return Sample(run.observer.wait_for(1) - started)


def driver_memory(events: int) -> Sample:
    """Peak resident memory of the driver in MiB, from its start to its end, product included."""
    with ewms_run("numbers:Numbers", events, warm_up=0) as run:
        started, peak = time.monotonic(), 0.0
        while run.process.poll() is None:
            peak = max(peak, peak_mebibytes(run.process.pid))
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - started
    return Sample(peak, note=f"{events:,} events in {seconds:.0f} s, start and product included")
