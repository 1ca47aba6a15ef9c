"""Reads and writes MRC files, which hold a picture or a stack of them, with `mrcfile`.

Burnley, Palmer & Winn, Acta Crystallographica D73 (2017), 469.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import numpy.typing as npt


class Unreadable(ValueError):
    """The file cannot be used; replace it or leave it out."""


def read(path: str) -> tuple[npt.NDArray[Any], float]:
    """What an MRC file holds, mapped into memory, not read, and the size of a pixel in ångström, 0 where that is not told.

    Raises `Unreadable`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about headers that are odd but can be understood
            file = mrcfile.mmap(path, mode="r")
    except OSError as error:
        raise Unreadable(f"the file cannot be opened: {error.strerror or error}") from error
    except ValueError as error:
        raise Unreadable(f"not an MRC file, or one that is cut short: {error}") from error
    return file.data, float(file.voxel_size.x)


def encode(pixels: npt.NDArray[np.float32], pixel: float) -> bytes:
    """The MRC file of a picture (rows, columns) or a stack (N, rows, columns); the same bytes for the same pixels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pixels.mrc")
        with mrcfile.new(path) as file:
            file.set_data(pixels)
            if pixels.ndim == 3:
                file.set_image_stack()
            file.voxel_size = pixel
            file.header.label = b""  # there stood the date
            file.header.nlabl = 0
        return path.read_bytes()
