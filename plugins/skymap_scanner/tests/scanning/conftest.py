from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native


@pytest.fixture(scope="session")
def event_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small event: enough light on a few strings for every reconstruction to begin with."""
    pulses = np.array(
        [
            (string, om, 10_000.0 + 60.0 * om + 100.0 * string, 2.0, 1.0, 1)
            for string in (20, 21, 29, 30)
            for om in (20, 21, 22, 23)
        ],
        dtype=PULSE,
    )
    header = EventHeader(run_id=118_000, event_id=7, mjd=58_000.25, event_type="gold", is_real=False)
    path = tmp_path_factory.mktemp("event") / "event.json"
    path.write_bytes(native.dumps(Alert(header=header, pulses=pulses)))
    return path
