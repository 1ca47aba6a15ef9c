"""Sky maps of neutrino alerts, on `ewms`."""

__version__ = "0.1.0"
