"""Picture of an event in the detector: where light was seen, when, and how much."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.detector.geometry import modules
from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert, Truth
from skymap_scanner.pulses import module_keys

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

_SIZE: Final = (7.2, 3.5)
"""Inches: the width of a journal's two columns."""
_HALF_WIDTH: Final = 640.0
"""m, of what is shown around the middle of the detector."""
_HALF_LENGTH: Final = 560.0
"""m, of the arrow."""
_QUIET_COLOUR: Final = "0.75"
"""Of modules that saw nothing."""
_AREA_PER_PE: Final = 5.0
"""Square points of the disc of a module with one photoelectron."""
_CHARGE_POWER: Final = 0.5
"""Bright modules are drawn somewhat less than in proportion, or they would hide the rest."""
_SHOWN_TIMES: Final = (0.02, 0.98)
"""Quantiles of the times, weighted by charge, that the colours span; noise lies outside."""
_LEGEND_CHARGES: Final = (1, 10, 100)
"""Photoelectrons."""
_VIEWS: Final = (("from above", "xy"), ("from the side", "xz"))
"""Title and axes of each projection."""


def event_view(alert: Alert, kind: str = "png") -> bytes:
    """Draw an event from above and from the side.

    Each module that saw light is a disc: its area grows with the charge, its colour tells the time of its first pulse. The
    arrow of a simulated event is the truth; those of fits are left out, as they would suggest a direction for showers too.

    Parameters
    ----------
    alert : the event; its pulses need not be cleaned.
    kind : `png`, `pdf` or `svg`.

    Raises
    ------
    NoSignal
        If no working module saw anything.
    """
    from matplotlib.figure import Figure

    from skymap_scanner.outputs.plots.canvas import house_style, rendered

    with house_style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        _draw(figure, alert)
        return rendered(figure, kind)


def _draw(figure: Figure, alert: Alert) -> None:
    position, time, charge = _seen(alert)
    panels = figure.subplots(1, len(_VIEWS))
    for axes, (title, plane) in zip(panels, _VIEWS, strict=True):
        columns = ["xyz".index(axis) for axis in plane]
        axes.scatter(*modules().position[:, columns].T, s=0.6, color=_QUIET_COLOUR, linewidths=0, rasterized=True)
        discs = axes.scatter(*position[:, columns].T, s=_area(charge), c=time, **_colours(time, charge))
        if alert.truth is not None:
            _draw_arrow(axes, alert.truth, columns)
        axes.set(xlabel=f"{plane[0]} / m", ylabel=f"{plane[1]} / m", title=title, aspect="equal")
        axes.set(xlim=(-_HALF_WIDTH, _HALF_WIDTH), ylim=(-_HALF_WIDTH, _HALF_WIDTH))
    figure.colorbar(discs, ax=list(panels), label="first pulse / ns", shrink=0.8, pad=0.01)
    panels[0].legend(handles=_sizes(panels[0]), loc="lower left", frameon=False, handletextpad=0.2)
    figure.suptitle(f"Run {alert.header.run_id}, event {alert.header.event_id}")


def _seen(alert: Alert) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Position, first time and charge of each working module with pulses, faint ones first, to be drawn below."""
    pulses = alert.pulses
    _, first, module = np.unique(module_keys(pulses), return_index=True, return_inverse=True)
    charge = np.bincount(module, pulses["charge"]).astype(np.float64)
    position = modules().positions_of(pulses["string"][first], pulses["om"][first])
    order = np.argsort(charge, kind="stable")
    order = order[np.isfinite(position[order, 0])]
    if not len(order):
        message = "no working module saw anything, so there is nothing to draw"
        raise NoSignal(message)
    return position[order], pulses["time"][first][order], charge[order]


def _colours(time: NDArray[np.float64], charge: NDArray[np.float64]) -> dict[str, Any]:
    order = np.argsort(time, kind="stable")
    share = np.cumsum(charge[order]) / max(charge.sum(), np.finfo(float).tiny)
    earliest, latest = time[order][np.minimum(np.searchsorted(share, _SHOWN_TIMES), len(time) - 1)]
    return {"cmap": "turbo_r", "vmin": earliest, "vmax": max(latest, earliest + 1.0), "linewidths": 0.2, "edgecolors": "0.2"}


def _area(charge: NDArray[np.float64]) -> NDArray[np.float64]:
    return _AREA_PER_PE * np.maximum(charge, 0.1) ** _CHARGE_POWER


def _sizes(axes: Axes) -> list[PathCollection]:
    area = _area(np.array(_LEGEND_CHARGES, np.float64))
    return [
        axes.scatter([], [], s=size, color="0.5", label=f"{charge} PE")
        for size, charge in zip(area, _LEGEND_CHARGES, strict=True)
    ]


def _draw_arrow(axes: Axes, truth: Truth, columns: list[int]) -> None:
    """Draw the path as far as the picture goes, an arrowhead at the end of flight."""
    sine = math.sin(truth.zenith)
    flight = -np.array([sine * math.cos(truth.azimuth), sine * math.sin(truth.azimuth), math.cos(truth.zenith)])
    point = np.array([truth.x, truth.y, truth.z])
    along = -point @ flight  # from the point to where it is closest to the middle
    start, end = (point + (along + way) * flight for way in (-_HALF_LENGTH, _HALF_LENGTH))
    style = {"arrowstyle": "-|>", "color": "black", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end[columns], xytext=start[columns], arrowprops=style, annotation_clip=False)
