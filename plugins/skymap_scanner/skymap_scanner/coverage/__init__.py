"""How often contours hold the truth, found out on simulated events; importing this imports nothing heavy."""

from skymap_scanner.coverage.levels import calibrated_levels

__all__ = ["calibrated_levels"]
