"""`python -m ewms.pilot CONFIG.json`: a pilot as a process. The file is a `PilotConfig`, readable by its owner only.

Without an argument it is an EWMS pilot, configured by `EWMS_PILOT_*` variables: see `ewms.pilot.environment`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from ewms.brokers.urls import broker_for
from ewms.core.config import PilotConfig
from ewms.core.errors import BrokerError, InputError, UsageError
from ewms.pilot import processes
from ewms.pilot.chirping import Chirping
from ewms.pilot.drain import Exit
from ewms.pilot.environment import Settings, read_settings
from ewms.pilot.pilot import run_pilot
from ewms.pilot.spare import Spare
from ewms.pilot.standalone import Standalone

logger = logging.getLogger("ewms.pilot")


def main(arguments: list[str], spare: Spare | None = None) -> int:
    """Run a pilot; its exit code. What goes wrong is one line on stderr.

    Parameters
    ----------
    spare
        A worker process that is there already.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        if len(arguments) > 1:
            raise UsageError("usage: python -m ewms.pilot [CONFIG.json]; without one, EWMS_PILOT_* variables are read")
        if not arguments:
            return _run_by_environment()
        config = read_config(Path(arguments[0]))
        if config.parent is not None and not processes.die_with_parent(config.parent, signal.SIGTERM):
            logger.info("pilot_ended reason=the process it belongs to is gone")
            return int(Exit.DRAINED)
        return asyncio.run(_serve(config, spare))
    except UsageError as error:
        logger.error("pilot_ended code=%d reason=%s", error.exit_code, error)
        return error.exit_code
    except BrokerError as error:
        logger.error("pilot_ended code=%d reason=%s", Exit.BROKER_LOST, error)
        return int(Exit.BROKER_LOST)


def read_config(path: Path) -> PilotConfig:
    """The configuration; `InputError` naming the key that is wrong, but no value, which may be a secret.

    Relative paths in it are relative to its folder: a slot's is not known before the pilot is there.
    """
    try:
        return _grounded(PilotConfig.model_validate_json(path.read_bytes()), path.absolute().parent)
    except OSError as error:
        raise InputError(f"the pilot's configuration {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(f"the pilot's configuration {path} is wrong: {place}: {first['msg']}") from None


def _grounded(config: PilotConfig, folder: Path) -> PilotConfig:
    context = tuple(file.model_copy(update={"path": str(folder / file.path)}) for file in config.context)
    changes: dict[str, object] = {
        "context": context,
        "search_path": tuple(str(folder / path) for path in config.search_path),
    }
    if config.working_directory:
        changes["working_directory"] = str(folder / config.working_directory)
    return config.model_copy(update=changes)


def _run_by_environment() -> int:
    settings = read_settings(os.environ)
    logging.getLogger().setLevel(settings.log_level)
    return asyncio.run(_stand_alone(settings))


async def _stand_alone(settings: Settings) -> int:
    return await Standalone(settings, _stop_by_signal()).run()


async def _serve(config: PilotConfig, spare: Spare | None) -> int:
    stop = _stop_by_signal()
    if config.parent is not None and os.getppid() != config.parent:
        stop.set()  # it died while this was starting, before there was a handler
    chirping = Chirping()
    chirping.start()
    try:
        async with broker_for(config.broker_url, patience=config.broker_patience) as broker:
            code = await run_pilot(config, broker, stop=stop, on_heartbeat=chirping.hear, spare=spare)
    except BrokerError as error:
        await chirping.close(Exit.BROKER_LOST, str(error))
        raise
    await chirping.close(code)
    return code


def _stop_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def run() -> int:
    """Run a pilot with this process's arguments; its exit code."""
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
