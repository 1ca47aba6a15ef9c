"""The sheet that a map is drawn on: title above, colour bar and legend below, none of them over the map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs.plots import marks

if TYPE_CHECKING:
    from matplotlib.image import AxesImage

TITLE, COLOUR_BAR, ROW = 0.6, 0.55, 0.16
"""Heights in inches of the title, of the colour bar with its words, and of a row of the legend."""


class Sheet:
    """A figure with room for one map; sizes in inches."""

    def __init__(self, *, width: float, height: float, margin: float, ticks: float, labels: int, columns: int) -> None:
        """Make room.

        Parameters
        ----------
        width, height
            Of the map.
        margin
            To the left of the map, and half of it to the right.
        ticks
            Between map and colour bar.
        labels, columns
            How many lines the legend has, and beside each other.
        """
        from matplotlib.figure import Figure

        self._columns = columns
        below = COLOUR_BAR + ROW * math.ceil(labels / columns)
        total_width, total = width + 1.5 * margin, below + ticks + height + TITLE
        self.figure = Figure(figsize=(total_width, total))
        self.place = (margin / total_width, (below + ticks) / total, width / total_width, height / total)
        """Of the map, in parts of the figure."""
        self._bar = (margin / total_width + 0.1, below / total, width / total_width - 0.2, 0.09 / total)
        self._title = 1 - 0.12 / total

    def finish(self, skymap: SkyMap, image: AxesImage) -> None:
        """Write everything round the map."""
        bar = self.figure.colorbar(image, cax=self.figure.add_axes(self._bar), orientation="horizontal")
        bar.set_label(marks.QUANTITY)
        self.figure.suptitle(f"{marks.title_of(skymap)}\n{marks.verdict_of(skymap)}", fontsize=8.5, y=self._title)
        if self.figure.axes[0].get_legend_handles_labels()[1]:
            self.figure.legend(loc="lower center", ncol=self._columns, frameon=False)
