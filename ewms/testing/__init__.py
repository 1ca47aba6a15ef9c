"""What an author of workflows and plugins tests with: a run in memory, faults on demand, a check of order independence."""

from ewms.testing.check import check_order_independence
from ewms.testing.simulation import Faults, Simulation, SimulationResult, simulate

__all__ = ["Faults", "Simulation", "SimulationResult", "check_order_independence", "simulate"]
