from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native

SHARED = Path(__file__).parents[5] / ".." / "shared" / "events"


def small_event(event_id: int = 7, *, event_type: str = "gold", is_real: bool = False, charge: float = 2.0) -> Alert:
    """Enough light on a few strings for every reconstruction to begin with."""
    pulses = np.array(
        [
            (string, om, 10_000.0 + 60.0 * om + 100.0 * string, charge, 1.0, 1)
            for string in (20, 21, 29, 30)
            for om in (20, 21, 22, 23)
        ],
        dtype=PULSE,
    )
    header = EventHeader(run_id=118_000, event_id=event_id, mjd=58_000.25, event_type=event_type, is_real=is_real)
    return Alert(header=header, pulses=pulses)


@pytest.fixture
def event_bytes() -> Callable[..., bytes]:
    """Small events as files; arguments as of `small_event`."""
    return lambda *args, **kwargs: native.dumps(small_event(*args, **kwargs))


@pytest.fixture
def shared_events() -> Path:
    """Real alerts."""
    if not SHARED.is_dir():
        pytest.skip("the shared folder with real alerts is not there")
    return SHARED
