"""Consumers that do to their process what tasks do."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def act(body: str) -> str:
    """Dies in the way that the body names; other bodies are harmless."""
    match body:
        case "segfault":
            ctypes.string_at(0)
        case "os._exit":
            os._exit(3)
        case "sys.exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fork":
            os.fork()
        case "hang":
            time.sleep(60)
        case "close":
            os.closerange(3, 64)
            time.sleep(60)
    return f"{body} done"


def grow(megabytes: int) -> int:
    """Takes memory piece by piece, and keeps it for a while."""
    pieces = []
    for _ in range(megabytes):
        pieces.append(bytearray(b"x" * (1 << 20)))
        time.sleep(0.002)
    time.sleep(5 if megabytes > 200 else 0)
    return len(pieces)


def shout(megabytes: int) -> str:
    """Prints a lot and then fails."""
    line = "spam" * 256 + "\n"
    for _ in range(megabytes * 1024):
        sys.stdout.write(line)
    sys.stdout.write("last line\n")
    raise RuntimeError("hoarse")


def family(pid_file: str) -> None:
    """Starts a grandchild, notes both pids, and waits for ever."""
    grandchild = subprocess.Popen(["sleep", "600"])
    path = Path(pid_file)
    path.with_suffix(".part").write_text(f"{os.getpid()} {grandchild.pid}")
    path.with_suffix(".part").rename(path)
    time.sleep(600)


def complain(number: int) -> None:
    """Fails with as much to say as is kept."""
    sys.stdout.write("x" * 20_000)
    raise ValueError(f"{number}" * 3000)
