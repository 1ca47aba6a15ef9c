"""`python -m tests.support.private_broker DIR`: the broker of a site as a process, which keeps the server running."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from ewms.brokers.embedded import EmbeddedNats


async def main(folder: Path) -> None:
    """Run it until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with EmbeddedNats(folder, keep_port=True, accounts=True):
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
