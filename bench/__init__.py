"""Measures ewms, and its peers beside it, on this machine: `python -m bench`."""
