"""Short calls of a container tool's command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from ewms.core.errors import ConsumerError
from ewms.pilot import processes
from ewms.pilot.child import Child

CALL_SECONDS = 60.0
"""After which a tool that should answer at once is taken for broken."""


class Said(NamedTuple):
    """How a command line ended."""

    code: int
    """Its exit code; minus the signal's number where one killed it."""
    out: str
    """The end of its stdout."""
    err: str
    """The end of its stderr."""

    @property
    def last_line(self) -> str:
        """The last line of stderr that is not empty, which is where these tools say what went wrong."""
        return next((line.strip() for line in reversed(self.err.splitlines()) if line.strip()), f"exit code {self.code}")


async def call(argv: Sequence[str], within: float | None = CALL_SECONDS) -> Said:
    """Run a command line to its end.

    Raises `ConsumerError` where it cannot be started or takes longer than `within` seconds.
    """
    try:
        child = Child(processes.spawn(argv, processes.task_environment({})))
    except OSError as error:
        raise ConsumerError(f"{argv[0]} cannot be started: {error.strerror}; install it again") from error
    try:
        async with asyncio.timeout(within):
            code = await asyncio.shield(child.ended)
    except TimeoutError:
        raise ConsumerError(f"`{' '.join(argv[:2])}` has not ended after {within:g} s; try it by hand") from None
    finally:
        await child.end()
    return Said(code, child.stdout.tail(), child.stderr.tail())
