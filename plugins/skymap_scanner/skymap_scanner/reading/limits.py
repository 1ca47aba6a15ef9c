"""How much an event may hold: far above any real one, far below what harms the reader."""

MAX_FILE_BYTES = 64 << 20
"""Of the file; real alerts have half a megabyte."""
MAX_FRAME_BYTES = 32 << 20
"""Of one frame after inflation; the largest real ones have half a megabyte."""
MAX_EVENT_BYTES = 96 << 20
"""Of all frames of an event after inflation."""
MAX_FRAMES = 16
"""Frames of an event; real alerts have five."""
MAX_OBJECTS = 2_000
"""Objects of a frame; real alerts have up to forty."""
MAX_MODULES = 10_000
"""Modules of a series of pulses; the detector has 5,484."""
MAX_PULSES = 1_000_000
"""Pulses of an event; the brightest real ones have some tens of thousands."""
MAX_FITS = 1_000
"""Fits in the message round the frames; real alerts have up to ten."""
MAX_NAME = 200
"""Letters of the name of a fit."""
MAX_SOURCES = 8
"""Series that a union may be of, and masks that may be chained; real chains have three links."""
