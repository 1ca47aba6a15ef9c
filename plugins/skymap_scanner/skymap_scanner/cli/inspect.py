"""`skymap-scanner inspect`: what is in an event."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skymap_scanner.errors import ScanError

if TYPE_CHECKING:
    from skymap_scanner.event import Alert, PublishedFit, Truth
    from skymap_scanner.pulses import Pulses

PICTURES = ("png", "pdf", "svg")
"""Kinds of pictures, by the name's ending."""


@click.command()
@click.argument("event", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--picture", type=click.Path(path_type=Path), help=f"Draw the event in the detector: .{', .'.join(PICTURES)}.")
def inspect(event: Path, *, as_json: bool, picture: Path | None) -> None:
    """Show what is in EVENT: its header, pulses by string, and the fits that came with it."""
    from skymap_scanner.reading import load_alert

    kind = None if picture is None else _kind_of(picture)
    alert = load_alert(event)
    document = describe(alert)
    click.echo(json.dumps(document, indent=2) if as_json else "\n".join(_lines(document)))
    if picture is not None and kind is not None:
        _write(picture, alert, kind)


def describe(alert: Alert) -> dict[str, Any]:
    """Put an event into numbers: directions in degrees, None where there is no value."""
    import numpy as np

    from skymap_scanner.hits import cleaned
    from skymap_scanner.outputs.cards import utc_of
    from skymap_scanner.pulses import HLC

    header, pulses = alert.header, alert.pulses
    left = cleaned(pulses)
    strings, rows = np.unique(pulses["string"], return_inverse=True)
    return {
        "run_id": header.run_id,
        "event_id": header.event_id,
        "event_type": header.event_type,
        "is_real": header.is_real,
        "mjd": header.mjd,
        "utc": utc_of(header.mjd),
        "all_pulses": _counts(pulses),
        "coincident_pulses": _counts(pulses[pulses["flags"] & HLC > 0]),
        "cleaned_pulses": _counts(left),
        "strings": [{"string": int(string), **_counts(pulses[rows == row])} for row, string in enumerate(strings)],
        "fits": [_fit(fit, header.mjd) for fit in alert.fits],
        "truth": None if alert.truth is None else _place(alert.truth, header.mjd) | {"kind": alert.truth.kind},
    }


def _counts(pulses: Pulses) -> dict[str, Any]:
    from skymap_scanner.pulses import module_keys

    return {
        "pulses": len(pulses),
        "modules": len(set(module_keys(pulses).tolist())),
        "charge": round(float(pulses["charge"].sum(dtype=float)), 3),
    }


def _fit(fit: PublishedFit, mjd: float) -> dict[str, Any]:
    return {"name": fit.name, **_place(fit, mjd), "llh": _known(fit.llh), "ndof": fit.ndof}


def _place(fit: PublishedFit | Truth, mjd: float) -> dict[str, float | None]:
    from skymap_scanner.detector.coordinates import to_equatorial

    ra, dec = to_equatorial(fit.zenith, fit.azimuth, mjd)
    angles = {"zenith": fit.zenith, "azimuth": fit.azimuth, "ra": float(ra), "dec": float(dec)}
    degrees: dict[str, float | None] = {name: math.degrees(angle) for name, angle in angles.items()}
    return degrees | {name: _known(getattr(fit, name)) for name in ("x", "y", "z", "time", "energy")}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _lines(event: dict[str, Any]) -> list[str]:
    kind = f"{event['event_type'] or 'of unknown type'}, {'real' if event['is_real'] else 'simulated'}"
    lines = [
        f"Run {event['run_id']}, event {event['event_id']} ({kind})",
        f"{event['utc']} UTC, MJD {event['mjd']:.8f}",
        "",
        f"{'':<22}{'pulses':>8}{'modules':>9}{'charge / PE':>14}",
        *(
            _row(title, event[key])
            for title, key in (
                ("all in the ice", "all_pulses"),
                ("in coincidence (HLC)", "coincident_pulses"),
                ("after cleaning", "cleaned_pulses"),
            )
        ),
        "",
        f"{'string':<22}{'pulses':>8}{'modules':>9}{'charge / PE':>14}",
        *(_row(string["string"], string) for string in event["strings"]),
    ]
    fits = ([{"name": f"truth ({event['truth']['kind']})", **event["truth"]}] if event["truth"] else []) + event["fits"]
    if fits:
        titles = ("zenith", "azimuth", "ra", "dec")
        lines += ["", f"{'fit (degrees)':<34}" + "".join(f"{title:>10}" for title in titles) + f"{'-log L':>12}{'ndof':>6}"]
        lines += [_fit_row(fit) for fit in fits]
    return lines


def _row(title: object, counts: dict[str, Any]) -> str:
    return f"{title:<22}{counts['pulses']:>8}{counts['modules']:>9}{counts['charge']:>14.1f}"


def _fit_row(fit: dict[str, Any]) -> str:
    angles = "".join(f"{fit[key]:>10.3f}" for key in ("zenith", "azimuth", "ra", "dec"))
    llh, ndof = fit.get("llh"), fit.get("ndof")
    return f"{fit['name']:<34}{angles}{'' if llh is None else f'{llh:.2f}':>12}{'' if ndof is None else ndof:>6}".rstrip()


def _kind_of(picture: Path) -> str:
    kind = picture.suffix.lower().removeprefix(".")
    if kind not in PICTURES:
        message = f"--picture {picture}: name a file that ends in .{', .'.join(PICTURES)}"
        raise ScanError(message)
    return kind


def _write(picture: Path, alert: Alert, kind: str) -> None:
    from skymap_scanner.detector.view import event_view

    content = event_view(alert, kind)
    try:
        picture.write_bytes(content)
    except OSError as error:
        message = f"--picture {picture}: cannot be written ({error.strerror})"
        raise ScanError(message) from error
