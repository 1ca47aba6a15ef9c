"""All that is measured, in the order of a round."""

from __future__ import annotations

import sys
from functools import partial

from bench import ewms_measures as ewms
from bench.case import Aim, Case, Goal
from bench.program import peers_interpreter, timed_by
from bench.sample import Sample

_RATE = "tasks/s"
_DURABLE = (
    "`ewms run`, two pilots of one slot; embedded NATS JetStream with `sync_interval: always`; SQLite journal with "
    "`synchronous=FULL`; first send to the commit of the last outcome"
)


def _ewms(name: str, title: str, events: int, workload: str, setup: str) -> Case:
    measure = partial(ewms.throughput, workload)
    return Case(name=name, title=title, unit=_RATE, events=events, measure=measure, setup=f"{_DURABLE}; {setup}")


def _peer(name: str, title: str, events: int, setup: str, module: str, *arguments: str) -> Case:
    def measure(tasks: int) -> Sample:
        return timed_by(peers_interpreter(), tasks, f"bench.peers.{module}", *arguments)

    return Case(name=name, title=title, unit=_RATE, events=events, measure=measure, setup=setup)


def _mapped(tasks: int) -> Sample:
    return timed_by(sys.executable, tasks, "bench.ewms_map")


_HTEX = "`HighThroughputExecutor`, `LocalProvider`, one block, `max_workers_per_node=2`"

CASES = (
    _ewms("ewms", "ewms, bundles of JSON integers", 300_000, "numbers:Numbers", "bundles as ewms chooses them"),
    _ewms("ewms-models", "ewms, bundles of pydantic models", 150_000, "models:Models", "a model of four fields in and out"),
    _ewms("ewms-singles", "ewms, one event per message", 6_000, "numbers:Singles", "`bundle = 1`"),
    Case(
        name="ewms-map",
        title="ewms.map, results in hand, in order",
        unit=_RATE,
        events=200_000,
        measure=_mapped,
        setup="`ewms.map(same, inputs)`, as durable as `ewms run`; first input to last result in the caller's hand",
    ),
    _peer("parsl", "Parsl HTEX, defaults", 4_000, f"{_HTEX}, all else default; in memory", "parsl_executor"),
    _peer(
        "parsl-tuned",
        "Parsl HTEX, tuned",
        4_000,
        f"{_HTEX}, `prefetch_capacity=64`, `encrypted=False`, `strategy='none'`, `initialize_logging=False`; in memory",
        "parsl_executor",
        "tuned",
    ),
    _peer(
        "dask",
        "Dask distributed",
        4_000,
        "`LocalCluster(n_workers=2, threads_per_worker=1)`, processes, no dashboard; `client.map(pure=False)`, "
        "`client.gather`; in memory",
        "dask_cluster",
    ),
    _peer(
        "celery",
        "Celery on Redis",
        4_000,
        "prefork worker with two processes, `acks_late`, no gossip, no mingle; `group` and `join_native`; "
        "Redis as broker and result store, without persistence",
        "celery_redis",
    ),
    Case(
        name="naps",
        title="ewms, sleep(0.01) on two workers",
        unit="% of ideal",
        events=10_000,
        measure=ewms.nap_efficiency,
        setup=_DURABLE,
        goal=Goal(Aim.AT_LEAST, 95),
        most_rounds=3,
    ),
    Case(
        name="first-outcome",
        title="ewms run, program start to first outcome, warm",
        unit="s",
        events=200,
        measure=ewms.first_outcome,
        setup="from the start of the interpreter to the commit; broker, journal and pilots start within that time",
        goal=Goal(Aim.BELOW, 1.5),
    ),
    Case(
        name="memory",
        title="ewms driver, a million small events, peak resident",
        unit="MiB",
        events=1_000_000,
        measure=ewms.driver_memory,
        setup="`VmHWM` of the driver, from its start until the product is written",
        goal=Goal(Aim.BELOW, 300),
        most_rounds=1,
    ),
    Case(
        name="long",
        title="ewms driver, a lazy source of ten million events, peak resident",
        unit="MiB",
        events=10_000_000,
        measure=ewms.driver_memory,
        setup="as for a million",
        goal=Goal(Aim.BELOW, 300),
        most_rounds=1,
        only_long=True,
    ),
)
