"""`RESULTS.md` from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.case import Case
from bench.ratios import COMPARISONS, Comparison, Spread, ratios
from bench.rounds import Samples

_HEAD = """\
# Measured

Written by the command below; every figure comes from that one run. Rounds are interleaved (A B C …, A B C …); tables give
the median and, in brackets, the lowest and the highest round. Ratios are taken round by round. Two workers everywhere,
start-up excluded by 200 warm-up tasks, the same task (`bench.tasks.same`: what comes in goes out), every result checked.
ewms makes every event and every outcome durable before it counts; the peers keep theirs in memory.
"""


def render(cases: Sequence[Case], samples: Samples, events: int | None, facts: Mapping[str, str], title: str) -> str:
    """The page."""
    parts = [_HEAD, _facts(facts), f"## {title}", _figures(cases, samples, events)]
    if compared := _comparisons(cases, samples):
        parts += ["## Ratios", compared]
    return "\n".join([*parts, "## How each was set up", _setups(cases, samples)])


def shown(value: float) -> str:
    """A figure with three digits or so."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _spread(spread: Spread) -> str:
    return f"**{shown(spread.median)}** ({shown(spread.low)} to {shown(spread.high)})"


def _facts(facts: Mapping[str, str]) -> str:
    return _table(("", ""), [(name, fact) for name, fact in facts.items()])


def _figures(cases: Sequence[Case], samples: Samples, events: int | None) -> str:
    rows = []
    for case in cases:
        taken = samples[case.name]
        spread = Spread.of([sample.value for sample in taken])
        goal = ""
        if case.goal is not None:
            goal = f"{case.goal.aim.value} {shown(case.goal.limit)}: {_verdict(case.goal.is_met(spread.median))}"
        rows.append(
            (case.title, f"{events or case.events:,}", str(len(taken)), _spread(spread), case.unit, goal, taken[-1].note)
        )
    return _table(("case", "events", "rounds", "figure", "unit", "goal", "last round"), rows)


def _comparisons(cases: Sequence[Case], samples: Samples) -> str:
    titles = {case.name: case.title for case in cases}
    rows = [
        (titles[pair.case], titles[pair.peer], *_compared(pair, samples))
        for pair in COMPARISONS
        if pair.case in titles and pair.peer in titles
    ]
    return _table(("ewms", "peer", "times faster", "goal"), rows) if rows else ""


def _compared(pair: Comparison, samples: Samples) -> tuple[str, str]:
    mine, theirs = ([sample.value for sample in samples[name]] for name in (pair.case, pair.peer))
    spread = ratios(mine, theirs)
    goal = "" if pair.least is None else f"at least {shown(pair.least)}: {_verdict(spread.median >= pair.least)}"
    return _spread(spread), goal


def _setups(cases: Sequence[Case], samples: Samples) -> str:
    lines = []
    for case in cases:
        version = samples[case.name][-1].version
        lines.append(f"- **{case.title}**{f' {version}' if version else ''} (`{case.name}`): {case.setup}.")
    return "\n".join(lines) + "\n"


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
