"""All files of a scan."""

from __future__ import annotations

import json

from skymap_scanner.maps import SkyMap, overview
from skymap_scanner.outputs import skyreader
from skymap_scanner.outputs.contours import contour_text
from skymap_scanner.outputs.flatmap import flat_maps
from skymap_scanner.outputs.multiorder import moc, multiorder_map
from skymap_scanner.outputs.names import base_name
from skymap_scanner.outputs.notice import notice
from skymap_scanner.result import ScanResult


def product_files(
    result: ScanResult, *, plots: bool = True, classification: object = None, flat: bool = False
) -> dict[str, str | bytes]:
    """Return the content of every product file by name: a function of the result alone, so without times, hosts and paths.

    A scan without direction (a shower, or no pixel with a value) gives the pixels, the numbers and pictures that say so, but
    neither maps of probability nor contours nor a notice.

    Parameters
    ----------
    result
        The scan, complete or not.
    plots
        Whether to draw; without, matplotlib is not even imported.
    classification
        Of the event, with `kind` either `track` or `cascade`; None where it is not known.
    flat
        Whether to add the maps of every pixel at the finest nside: 12 nside^2 numbers in two files.
    """
    skymap = SkyMap.of(result, classification)
    base = base_name(result.header, result.levels)
    files: dict[str, str | bytes] = {
        f"{base}.json": skyreader.to_json(result),
        f"{base}.npz": skyreader.to_npz(result),
    }
    files |= map_files(skymap, base, flat=flat)
    if plots:
        from skymap_scanner.outputs.plots import plot_files

        files |= plot_files(skymap, base)
    return files


def partial_files(result: ScanResult, *, plots: bool, classification: object = None) -> dict[str, str | bytes]:
    """Return what shows while a scan runs: its pixels so far, numbers as in `best_fit.json`, and perhaps a picture.

    Parameters
    ----------
    result
        The scan as far as it has come.
    plots, classification
        As for `product_files`.
    """
    kind = {"kind": "unknown"} if classification is None else vars(classification)
    numbers = overview(SkyMap.of(result, classification)) | {"classification": kind}
    files: dict[str, str | bytes] = {"partial.json": skyreader.to_json(result), "overview.json": _json(numbers)}
    if plots:
        from skymap_scanner.outputs.plots import picture

        files["partial.png"] = picture(result, classification=classification)
    return files


def map_files(skymap: SkyMap, base: str, *, flat: bool) -> dict[str, str | bytes]:
    """Return the numbers and, where there is a direction, maps and contours; see `product_files`."""
    files: dict[str, str | bytes] = {"best_fit.json": _json(overview(skymap))}
    best = skymap.best
    if best is None:
        return files
    fits = multiorder_map(skymap)
    files[f"{base}.multiorder.fits"] = fits
    for scheme in skymap.drawn:
        suffix = "" if scheme is skymap.drawn[0] else f".{scheme.name}"
        for level in scheme.levels:
            files[f"{base}.contour_{level.key}{suffix}.txt"] = contour_text(skymap, scheme, level)
            files[f"{base}.moc_{level.key}{suffix}.fits"] = moc(skymap, level.two_delta)
    if skymap.result.complete and skymap.result.header.run_id:
        files[f"{base}.notice.json"] = json.dumps(notice(skymap, best, fits), indent=2) + "\n"
    if flat:
        nside = max(skymap.result.levels)
        files[f"{base}.skymap_nside_{nside}_llh.fits.gz"], files[f"{base}.skymap_nside_{nside}_probability.fits.gz"] = (
            flat_maps(skymap, nside)
        )
    return files


def _json(numbers: object) -> str:
    return json.dumps(numbers, indent=2) + "\n"
