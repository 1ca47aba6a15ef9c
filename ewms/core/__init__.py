"""Pure vocabulary and decisions of `ewms`: no I/O, no clock, no randomness of its own."""
