"""The scan as an `ewms` application: which pixels, in which order, and what becomes of their answers."""
