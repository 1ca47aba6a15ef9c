"""Which pictures a scan has."""

from __future__ import annotations

from collections.abc import Sequence

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.plots.canvas import house_style, rendered
from skymap_scanner.result import ScanResult


def picture(result: ScanResult, *, classification: object = None) -> bytes:
    """Return a quick PNG of the whole sky, of a complete or partial scan; `classification` as for `product_files`."""
    from skymap_scanner.outputs.plots.fullsky import full_sky

    with house_style():
        return rendered(full_sky(SkyMap.of(result, classification), width=800), "png", dpi=120)


def plot_files(
    skymap: SkyMap, base: str, kinds: Sequence[str] = ("png", "pdf"), radius: float | None = None
) -> dict[str, bytes]:
    """Return the pictures of the whole sky and, where there is a direction, of its surroundings.

    Parameters
    ----------
    skymap
        The map.
    base
        How the names of the files begin.
    kinds
        Of `png`, `pdf` and `svg`.
    radius
        Half-width of the surroundings, radians; by default, what holds all contours.
    """
    from skymap_scanner.outputs.plots.fullsky import full_sky
    from skymap_scanner.outputs.plots.zoom import zoom

    with house_style():
        figures = {"fullsky": full_sky(skymap)}
        if skymap.best is not None:
            figures["zoomed"] = zoom(skymap, skymap.best, radius)
        return {f"{base}.{name}.{kind}": rendered(figure, kind) for name, figure in figures.items() for kind in kinds}
