"""`skymap-scanner compare`: whether two scans agree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from skymap_scanner.maps.comparison import Comparison


@click.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def compare(context: click.Context, first: Path, second: Path, *, as_json: bool) -> None:
    """Compare the scans A and B (.json or .npz) pixel by pixel, and their best fits and areas.

    The exit code is 1 where they differ by more than the tolerances of icecube-skyreader, or where one has pixels that the
    other has not.
    """
    from skymap_scanner.maps import comparison
    from skymap_scanner.outputs import read_result

    found = comparison.compare(read_result(first), read_result(second))
    click.echo(json.dumps(_document(found), indent=2) if as_json else "\n".join(_lines(found)))
    context.exit(0 if found.is_close else 1)


def _document(found: Comparison) -> dict[str, Any]:
    levels = {
        str(nside): {
            "pixels": level.pixels,
            "only_first": level.only_first,
            "only_second": level.only_second,
            "different": level.different,
        }
        for nside, level in found.levels.items()
    }
    return {
        "close": found.is_close,
        "levels": levels,
        "levels_only_first": found.only_first,
        "levels_only_second": found.only_second,
        "separation": None if found.separation is None else math.degrees(found.separation),
        "area_ratios": found.area_ratios,
    }


def _lines(found: Comparison) -> list[str]:
    lines = [f"nside {nside}: only in A" for nside in found.only_first] + [
        f"nside {nside}: only in B" for nside in found.only_second
    ]
    for nside, level in found.levels.items():
        words = [f"nside {nside}: {level.pixels} pixels in both"]
        if level.only_first or level.only_second:
            words.append(f"{level.only_first} only in A, {level.only_second} only in B")
        words += [f"{name} of {count} beyond tolerance" for name, count in level.different.items()]
        lines.append(", ".join(words if len(words) > 1 else [*words, "all close"]))
    if found.separation is not None:
        lines.append(f"best fits {math.degrees(found.separation):.4f} degrees apart")
    lines += [f"area of the {key} contour: B is {ratio:.4g} times A" for key, ratio in found.area_ratios.items()]
    return [*lines, "A and B agree" if found.is_close else "A and B differ"]
