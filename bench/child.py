"""Programs that the bench starts, and that end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Where `bench` is importable, for children of any interpreter."""
_GRACE_SECONDS = 20.0


class BenchError(Exception):
    """A measurement that is worth nothing, with the reason."""


@contextmanager
def child(
    argv: Sequence[str], environment: Mapping[str, str] | None = None, *, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process with its standard output as text, in a group of its own that is gone after the block.

    What it writes to standard error goes to `log`, or nowhere.
    """
    with (log or Path(os.devnull)).open("wb") as errors:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
