from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ewms.core.graph import Graph

from .desk import Desk, MakeDesk, Sender, graph_of, numbers


@pytest.fixture
def desk_of(tmp_path: Path) -> Iterator[MakeDesk]:
    """Makes a desk with one event to be squared, unless told otherwise."""

    desks: list[Desk] = []

    def make(graph: Graph | None = None, application: Any = None, **options: Any) -> Desk:
        desks.append(Desk(tmp_path, graph or graph_of(), application or Sender(numbers(1)), **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
