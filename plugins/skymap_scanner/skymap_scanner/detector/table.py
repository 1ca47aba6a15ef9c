"""Tables of numbers that ship with the package: CSV with a line of column names."""

from __future__ import annotations

from importlib import resources

import msgspec
import numpy as np
from numpy.typing import NDArray


def read_table(name: str) -> NDArray[np.float64]:
    """Rows and columns of a file in `data`.

    Between brackets, the rows of such a file are a JSON list, and a JSON parser is five times faster than numpy's for text:
    2 ms for the geometry, which every worker reads when it starts.
    """
    content = resources.files(__package__).joinpath("data", name).read_bytes()
    names, _, rows = content.partition(b"\n")
    numbers = msgspec.json.decode(b"[%s]" % rows.strip().replace(b"\n", b","), type=list[float])
    return np.array(numbers).reshape(-1, names.count(b",") + 1)
