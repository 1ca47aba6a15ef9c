"""TMSs that a test kills."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from tests.support.scripted_service import TOKEN


class TmsProcesses:
    """TMSs as processes, one after the other, in one data folder.

    Parameters
    ----------
    cluster
        The table of the cluster `here`, in TOML.
    """

    def __init__(self, folder: Path, service_url: str, cluster: str) -> None:
        self.config = folder / "ewms.toml"
        self.token = folder / "token"
        self.log = folder / "tms.log"
        self.running: list[asyncio.subprocess.Process] = []
        self.token.write_text(TOKEN)
        self.config.write_text(f'[service]\nurl = "{service_url}"\ndata = "data"\n[clusters.here]\n{cluster}')

    async def start(self, step: str = "") -> asyncio.subprocess.Process:
        """Start one, which dies at that step."""
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-m",
                    "tests.support.dying_tms",
                    str(self.config),
                    str(self.token),
                    *([step] if step else []),
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    async def end(self) -> None:
        """Kill all."""
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
