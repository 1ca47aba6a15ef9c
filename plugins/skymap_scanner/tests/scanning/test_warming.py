"""What is loaded before there is an event is all that a scan needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
import msgspec
import ewms
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.scanning.application import Scan
from skymap_scanner.scanning.consumer import Reconstruct, classify

if sys.argv[1] == "driver":
    Scan.prepare()
else:
    Reconstruct.prepare()
before = set(sys.modules)
scan = Scan([Path(sys.argv[2])], nsides="1:0 2:3", plots=False)
if sys.argv[1] == "pilot":
    Mpe(scan.alert)
else:
    todo = [event.id for event in scan.start() if event.id != "classify"]
    vertex = {"x": 1.0, "y": 2.0, "z": 3.0, "time": 4.0}
    for number, name in enumerate(todo):
        value = {"llh": 100.0 + number, "vertex": vertex}
        todo += [event.id for event in scan.advance(ewms.Outcome(id=name, task="reconstruct", values=(value,)))]
        scan.snapshot()
    scan.assemble()
    scan.summary()
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("encodings")))
"""


def loaded_late(part: str, event_file: Path) -> list[str]:
    """Modules that a scan loads after everything was prepared."""
    argv = [sys.executable, "-c", PROGRAM, part, str(event_file)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()


def test_a_driver_host_loads_nothing_more(event_file: Path) -> None:
    assert loaded_late("driver", event_file) == []


def test_a_pilot_loads_nothing_more(event_file: Path) -> None:
    assert loaded_late("pilot", event_file) == []
