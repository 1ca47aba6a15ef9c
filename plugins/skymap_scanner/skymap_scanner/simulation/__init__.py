"""Events made by the reconstruction's own photon model, for tests, demonstrations and calibration."""

from skymap_scanner.simulation.event import simulate
from skymap_scanner.simulation.sample import random_event

__all__ = ["random_event", "simulate"]
