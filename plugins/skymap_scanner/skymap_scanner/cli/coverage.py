"""`skymap-scanner coverage`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import ewms
from skymap_scanner.cli.display import display_for
from skymap_scanner.coverage.application import Coverage

_DEAD_LETTERS = 3


@click.command(short_help="Find out how often contours hold the truth.")
@click.option("--events", default=1000, show_default=True, help="How many tracks are simulated.")
@click.option("--seed", default=0, show_default=True, help="Of the first one; the others follow.")
@click.option("--reco", default="mpe", show_default=True, help="mpe or spe.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("coverage"), show_default=True, help="Folder.")
@click.option("--workers", type=int, help="Events worked on at once; as many as there are cores by default.")
@click.option("--broker", help="URL of a message broker; a private one is started by default.")
@click.option("--no-plots", is_flag=True, help="Write numbers only.")
@click.option("--resume", is_flag=True, help="Go on with the study in the folder if there is one.")
def coverage(
    events: int, seed: int, reco: str, out: Path, workers: int | None, broker: str | None, no_plots: bool, resume: bool
) -> int:
    """Simulate tracks, reconstruct them, and count how often the truth lies inside each contour."""
    parameters = {"events": events, "seed": seed, "reco": reco, "plots": not no_plots}
    workflow = ewms.WorkflowSpec(
        name=Coverage.name, application=f"{Coverage.__module__}:{Coverage.__qualname__}", parameters=parameters
    )
    with display_for("coverage") as display:
        result = ewms.run(workflow, out=out, workers=workers, broker=broker, resume=resume, progress=display.show)
    for line in _report_lines(result):
        click.echo(line)
    return _DEAD_LETTERS if result.summary["missing"] else 0


def _report_lines(result: ewms.RunResult) -> Iterator[str]:
    summary = result.summary
    for scheme in ("wilks", "calibrated"):
        for probability, found in summary[scheme].items():
            low, high = 100 * found["low"], 100 * found["high"]
            yield (
                f"{scheme} {float(probability):g} %: {found['inside']} of {found['events']} inside, "
                f"{100 * found['fraction']:.1f} % ({low:.1f} to {high:.1f})"
            )
    separation = summary["median_separation_degrees"]
    if separation is not None:
        yield f"median error {separation:.2f} degrees; files in {result.product}"
    if summary["missing"]:
        yield f"{summary['missing']} events without answer; see: ewms why {result.out}"
