"""A fresh folder for a workflow, and the end of everything that was started there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Running


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A folder for a workflow; whatever still runs there is killed at the end."""
    workflow = Running(tmp_path)
    yield workflow
    if workflow.process is not None and workflow.process.poll() is None:
        workflow.kill_all()
