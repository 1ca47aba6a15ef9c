"""What tasks cost adds up, also over restarts."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.cost import Cost, total
from ewms.core.wire import PROTOCOL, Failure, Kind, RawResult, Report
from ewms.wms.costs import Costs

FAILURES = st.builds(
    Failure,
    id=st.just("a"),
    attempt=st.just(1),
    kind=st.sampled_from(Kind),
    reason=st.just("why"),
    detail=st.fixed_dictionaries(
        {"type": st.sampled_from(["timeout", "memory"])}, optional={"peak_memory": st.integers(0, 1 << 40)}
    ),
)
COSTS = st.builds(Cost, cpu=st.integers(0, 1000).map(float), peak=st.integers(0, 1 << 40))


def report(done: int, failures: list[Failure], cost: Cost) -> Report:
    results = [RawResult("a", 1, msgspec.Raw(b"\x90"))] * done
    return Report(PROTOCOL, "m", "work", False, "PL-1", "host", "", float(done), results, failures, cost)


REPORTS = st.lists(st.builds(report, st.integers(0, 3), st.lists(FAILURES, max_size=3), COSTS), max_size=8)


@given(REPORTS, st.integers(0, 8))
def test_costs_add_up_over_a_restart(reports: list[Report], restart_at: int) -> None:
    costs = Costs(["work", "other"], {})
    for number, one in enumerate(reports):
        if number == restart_at:
            costs = Costs(["work", "other"], msgspec.json.decode(msgspec.json.encode(costs.as_dict())))
        costs.add(one)
    found = costs.as_dict()
    failures = [failure for one in reports for failure in one.failures]
    peaks = [one.cost.peak for one in reports] + [int(failure.detail.get("peak_memory", 0)) for failure in failures]
    assert found["work"]["peak_memory"] == max(peaks, default=0)
    assert found["work"]["cpu_seconds"] == total(one.cost for one in reports).cpu
    assert found["work"]["seconds"] == sum(len(one.results) for one in reports)
    blamed = sum(failure.kind is Kind.FAILED for failure in failures)
    assert sum(found["work"]["exits"].values()) == blamed + sum(len(one.results) for one in reports)
    assert found["other"] == {"seconds": 0.0, "cpu_seconds": 0.0, "peak_memory": 0, "exits": {}}
