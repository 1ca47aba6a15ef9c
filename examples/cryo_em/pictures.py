"""Class averages as files: an MRC stack for other programs, and a picture to look at."""

from __future__ import annotations

import io

import mrc
import numpy as np
from particles import Array

ENLARGED = 4
"""Pixels of the picture for each pixel of an average."""
IN_A_ROW = 8
"""Averages beside each other."""


def files(pictures: Array, pixel: float) -> dict[str, str | bytes]:
    """`classes.mrc`, with pixels of so many ångström, and `classes.png`; both in the order given."""
    from PIL import Image

    rows = -(-len(pictures) // IN_A_ROW)
    columns = min(len(pictures), IN_A_ROW)
    side = pictures.shape[1]
    sheet = np.zeros((rows * side, columns * side), np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, IN_A_ROW)
        low, high = np.percentile(picture, [1, 99.8])
        grey = 255 * np.clip((picture - low) / max(high - low, 1e-9), 0, 1)
        sheet[row * side : (row + 1) * side, column * side : (column + 1) * side] = grey
    stream = io.BytesIO()
    size = (sheet.shape[1] * ENLARGED, sheet.shape[0] * ENLARGED)
    Image.fromarray(sheet).resize(size, Image.Resampling.BICUBIC).save(stream, "PNG")
    return {"classes.mrc": mrc.encode(pictures, pixel), "classes.png": stream.getvalue()}
