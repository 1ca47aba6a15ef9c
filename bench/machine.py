"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

_SYNCS = 200
_BLOCK = 4096


def describe_machine() -> dict[str, str]:
    """Facts by name, for people."""
    return {
        "processor": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "disk": f"{_file_system()} at {tempfile.gettempdir()}, {sync_milliseconds():.2f} ms for 4 KiB and fsync (median)",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "system": f"Linux {platform.release()}, Python {platform.python_version()}",
    }


def sync_milliseconds() -> float:
    """Median time of appending a block to a file and syncing it, where the runs are."""
    times = []
    with tempfile.TemporaryFile(prefix="ewms-bench-", buffering=0) as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            file.write(bytes(_BLOCK))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return 1000 * median(times)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system() -> str:
    argv = ["stat", "--file-system", "--format", "%T", tempfile.gettempdir()]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
