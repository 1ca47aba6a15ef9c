"""The real alerts that lie beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skymap_scanner.event import Alert
from skymap_scanner.reading import load_alert

EVENTS = Path(__file__).resolve().parents[4].parent / "shared" / "events"


@pytest.fixture(scope="session")
def real_alert() -> Callable[[str], Alert]:
    if not EVENTS.is_dir():
        pytest.skip(f"the real alerts are not at {EVENTS}")
    return lambda name: load_alert(EVENTS / name)
