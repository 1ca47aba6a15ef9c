"""`python -m tests.support.dying_tms CONFIG TOKEN_FILE [STEP]`: a TMS that kills itself at a step of its conversation.

STEP is `before:METHOD` or `after:METHOD` of the service's client: before a request is sent, or after it was answered.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ewms.config_file import read_configuration
from ewms.tms.configuration import setups_of
from ewms.tms.service_client import ServiceClient
from ewms.tms.serving import connector, serve


def die_at(step: str) -> None:
    """Have this process killed, without any chance to tidy up, at that step."""
    when, _, name = step.partition(":")
    method: Callable[..., Awaitable[Any]] = getattr(ServiceClient, name)

    async def deadly(*arguments: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await method(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(ServiceClient, name, deadly)


def main(config: str, token: str, step: str = "") -> None:
    """Be that TMS."""
    if step:
        die_at(step)
    setups = setups_of(read_configuration(Path(config)))
    asyncio.run(serve(setups, connector(Path(token).read_text), announce=print))


if __name__ == "__main__":
    main(*sys.argv[1:])
