"""From figures to bytes: the same map is the same file, whatever the user's matplotlib settings and the time of day."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}
"""Fields that matplotlib would fill with times and versions."""

STYLE = {
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "legend.fontsize": 7.0,
    "pdf.fonttype": 42,  # journals ask for TrueType instead of Type 3
    "svg.hashsalt": "skymap",
}


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Draw in one style, without touching the settings of the process."""
    import matplotlib
    from matplotlib import style

    with matplotlib.rc_context(), style.context(["default", STYLE]):
        yield


def rendered(figure: Figure, kind: str, dpi: float = 300.0) -> bytes:
    """Return the figure as `png`, `pdf` or `svg`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=METADATA[kind])
    return buffer.getvalue()
