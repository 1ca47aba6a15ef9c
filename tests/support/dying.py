"""Processes that end with whoever started them, even where that is killed."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def die_with_parent() -> None:
    """For `preexec_fn`: have the kernel kill this process when its parent's thread ends."""
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
