"""The picture of a calibration study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from skymap_scanner.coverage.levels import calibrated_levels
from skymap_scanner.maps.confidence import WILKS
from skymap_scanner.outputs.plots.canvas import house_style, rendered


def coverage_plot(two_delta: Sequence[float], reco: str) -> bytes:
    """Return a PNG: the part of the events inside a level, against the level, beside what Wilks' theorem says."""
    values = np.sort(np.asarray(two_delta))
    with house_style():
        figure = Figure(figsize=(5.0, 3.6), layout="constrained")
        axes = figure.subplots()
        level = np.linspace(0, max(12.0, float(np.quantile(values, 0.98))), 400)
        axes.plot(level, 1 - np.exp(-level / 2), color="0.5", linestyle="--", label="Wilks, 2 parameters")
        axes.step(
            values, (np.arange(len(values)) + 1) / len(values), where="post", label=f"{reco}, {len(values)} simulated tracks"
        )
        for known in WILKS.levels[:2]:
            axes.axvline(known.two_delta, color="0.8", linewidth=0.8)
        shipped = calibrated_levels(reco)
        if shipped:
            axes.plot(list(shipped.values()), list(shipped), "o", color="black", markersize=4, label="calibrated levels")
        axes.set(
            xlim=(0, level[-1]), ylim=(0, 1), xlabel="2 $\\Delta$ log L at the truth", ylabel="part of the events inside"
        )
        axes.legend(loc="lower right", frameon=False)
        return rendered(figure, "png", dpi=120)
