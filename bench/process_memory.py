"""Resident memory of a process, as the kernel accounts it."""

from __future__ import annotations

from pathlib import Path

_KIB_PER_MIB = 1024


def peak_mebibytes(pid: int) -> float:
    """The most that it ever had resident, in MiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return parse_peak(status)


def parse_peak(status: str) -> float:
    """`VmHWM` of a `/proc/PID/status` in MiB; 0 for a process that has ended and waits to be reaped."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0
