"""The decorators of compiled functions, and where their code is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""No `fastmath`, not even fused multiplications: the compiler then chooses the last bits, and chose others for code just
compiled than for the same code from the cache. Every worker has to find the same bits; that costs a tenth of the speed."""


def _digest() -> str:
    """Of all sources here: numba looks only at the file a function is in, not at what it calls."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def _cache_folder() -> str:
    """The first folder that can be written: `NUMBA_CACHE_DIR`, beside the sources, the user's own, a temporary one."""
    name = f"skymap_scanner_{_digest()}"
    own = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for base in (os.environ.get("NUMBA_CACHE_DIR", ""), str(Path(__file__).parent / "__pycache__"), own):
        folder = Path(base) / name
        if not folder.is_absolute():
            continue  # not set, or a user without a home
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return tempfile.mkdtemp(prefix=name)  # a name of its own: what others could put there would be run


_FOLDER = _cache_folder()


def kernel(function: F) -> F:
    """Compile on first call, without the interpreter's lock, and keep the code for later processes."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _FOLDER
    try:
        compiled: F = numba.njit(cache=True, **_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = before
    return compiled


def part(function: F) -> F:
    """Compile as a part of the kernels that call it: always inlined, never called by itself."""
    compiled: F = numba.njit(forceinline=True, **_OPTIONS)(function)
    return compiled
