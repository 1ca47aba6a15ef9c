"""The plots of a scan's page: Bokeh figures without data, which `static/skymap.js` and `static/event.js` fill and refill.

Nothing in them is code of Python or JavaScript in a string, so that pages need not allow any.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure

_TOOLS = "pan,box_zoom,reset,save"
_STYLE = """
.bk-Tooltip { --tooltip-color: var(--card); --tooltip-text: var(--ink); --tooltip-border: var(--line);
  --tooltip-arrow-color: var(--card); border-radius: 8px; font-variant-numeric: tabular-nums; }
.bk-Toolbar.bk-inner { background: color-mix(in srgb, var(--card) 80%, transparent); border-radius: 8px; opacity: 1; }
"""
_CELL_TOOLTIPS = [
    ("RA, Dec", "@ra{0.000}°, @dec{+0.000}°"),
    ("2 Δllh", "@height{0.00}"),
    ("llh", "@llh{0.00}"),
    ("probability", "@percent{0.000} %"),
    ("nside, pixel", "@nside, @pixel"),
    ("vertex", "@vertex"),
]
_MODULE_TOOLTIPS = [("string, module", "@string, @om"), ("charge", "@charge{0.0} PE"), ("first light", "@time{0} ns")]


@functools.cache
def sky_figures() -> str:
    """Return the whole sky and its zoomed part as JSON of `Bokeh.embed.embed_item`, by the names `sky` and `zoom`."""
    return _items({"sky": _sky("sky", 2.0), "zoom": _sky("zoom", 1.0)})


@functools.cache
def event_figures() -> str:
    """Return the views of an event as such JSON: `above` and `side`."""
    return _items({"above": _event("above", "x / m", "y / m"), "side": _event("side", "x / m", "z / m")})


def prepare() -> None:
    """Load what maps are made with, which takes a second or two, before somebody waits for it."""
    import scipy.spatial  # noqa: F401

    sky_figures()
    event_figures()


def _items(figures: dict[str, Any]) -> str:
    from bokeh.embed import json_item

    return json.dumps({name: json_item(figure) for name, figure in figures.items()})


def _sky(name: str, aspect: float) -> Figure:
    """One map; `static/skymap.js` finds the sources by their names."""
    from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, Range1d, WheelZoomTool
    from bokeh.palettes import Plasma256
    from bokeh.plotting import figure
    from bokeh.transform import transform

    width, height = (2.9, 1.45) if name == "sky" else (1.0, 1.0)
    plot = figure(
        name=name,
        aspect_ratio=aspect,
        sizing_mode="stretch_width",
        x_range=Range1d(start=-width, end=width),
        y_range=Range1d(start=-height, end=height),
        x_axis_location=None,
        y_axis_location=None,
        tools=_TOOLS,
        toolbar_location="right",
        toolbar_inner=True,
        toolbar_sticky=False,
        min_border=0,
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
        output_backend="canvas",
        lod_threshold=None,
    )
    _dress(plot)
    plot.grid.visible = False
    wheel = WheelZoomTool(modifiers={"ctrl": True})  # the page scrolls, as everywhere
    plot.add_tools(wheel)
    plot.toolbar.active_scroll = wheel
    colours = LinearColorMapper(palette=list(reversed(Plasma256)), low=0.0, high=1.0, name="colours")
    cells = ColumnDataSource(_empty("xs", "ys", "root", *_columns(_CELL_TOOLTIPS)), name="cells")
    fill = transform("root", colours)
    drawn = plot.patches("xs", "ys", source=cells, fill_color=fill, line_color=fill, line_width=0.6, name="patches")
    drawn.nonselection_glyph = None
    lines = ColumnDataSource(_empty("xs", "ys"), name="graticule")
    plot.multi_line("xs", "ys", source=lines, line_width=0.7, line_alpha=0.35, name="graticule-lines")
    words = ColumnDataSource(_empty("x", "y", "text", "align", "base"), name="words")
    label = plot.text("x", "y", "text", source=words, text_align="align", text_baseline="base", text_font_size="11px")
    label.name = "graticule-words"
    label.glyph.update(padding=2, border_radius=3, background_fill_alpha=0.65)
    contours = ColumnDataSource(_empty("xs", "ys", "colour", "dash"), name="contours")
    plot.multi_line("xs", "ys", source=contours, line_color="colour", line_dash="dash", line_width=1.8, name="contour-lines")
    fits = ColumnDataSource(_empty("x", "y", "marker", "name"), name="fits")
    marks = plot.scatter("x", "y", marker="marker", source=fits, size=9, line_width=1, name="fit-marks")
    best = ColumnDataSource(_empty("x", "y"), name="best")
    plot.scatter("x", "y", marker="star", source=best, size=15, line_width=1.2, name="best-mark")
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=_CELL_TOOLTIPS, point_policy="follow_mouse", name="of-cells"))
    plot.add_tools(HoverTool(renderers=[marks], tooltips=[("published fit", "@name")], name="of-fits"))
    return plot


def _event(name: str, across: str, up: str) -> Figure:
    """The detector from one side."""
    from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, Range1d
    from bokeh.palettes import Turbo256
    from bokeh.plotting import figure
    from bokeh.transform import transform

    plot = figure(
        name=name,
        aspect_ratio=1.0,
        sizing_mode="stretch_width",
        x_range=Range1d(start=-640.0, end=640.0),
        y_range=Range1d(start=-640.0, end=640.0),
        x_axis_label=across,
        y_axis_label=up,
        tools="pan,box_zoom,reset,save",
        toolbar_location="right",
        toolbar_inner=True,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
    )
    _dress(plot)
    plot.grid.grid_line_alpha = 0.5
    quiet = ColumnDataSource(_empty("x", "y"), name="quiet")
    plot.scatter("x", "y", source=quiet, size=1.5, line_color=None, name="quiet-marks")
    times = LinearColorMapper(palette=list(reversed(Turbo256)), low=0.0, high=1.0, name="times")
    seen = ColumnDataSource(_empty("x", "y", "size", *_columns(_MODULE_TOOLTIPS)), name="seen")
    marks = plot.scatter(
        "x",
        "y",
        size="size",
        source=seen,
        fill_color=transform("time", times),
        line_width=0.4,
        fill_alpha=0.85,
        name="seen-marks",
    )
    truth = ColumnDataSource(_empty("x", "y"), name="truth")
    plot.line("x", "y", source=truth, line_width=1.5, line_dash="dashed", name="truth-line")
    plot.add_tools(HoverTool(renderers=[marks], tooltips=_MODULE_TOOLTIPS))
    return plot


def _dress(plot: Figure) -> None:
    """Have tools and words that stand beside the pointer in the colours of the page."""
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.stylesheets = [_STYLE]


def _columns(tooltips: list[tuple[str, str]]) -> list[str]:
    """Names of the columns that the words show."""
    return [word.lstrip("@").split("{")[0].rstrip("°,") for _, words in tooltips for word in words.split() if "@" in word]


def _empty(*names: str) -> dict[str, list[Any]]:
    return {name: [] for name in names}
