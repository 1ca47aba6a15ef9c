"""Pictures of the sky; importing this imports no matplotlib yet."""

from skymap_scanner.outputs.plots.gallery import picture, plot_files

__all__ = ["picture", "plot_files"]
