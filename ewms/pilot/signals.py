"""The pilot's signs of life, and the words it listens to. Lossy: nothing depends on them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from ewms.brokers.base import Broker
from ewms.core import wire
from ewms.core.errors import BrokerError
from ewms.core.wire import Command, Heartbeat

logger = logging.getLogger("ewms.pilot.signals")


class Heart:
    """Beats at an interval and at every change of state.

    Parameters
    ----------
    describe
        Makes the heartbeat for a state and its reason.
    interval
        Seconds between beats.
    """

    def __init__(self, broker: Broker, topic: str, describe: Callable[[str, str], Heartbeat], interval: float) -> None:
        self._broker = broker
        self._topic = topic
        self._describe = describe
        self._interval = interval
        self._state, self._reason = "running", ""

    async def change(self, state: str, reason: str = "") -> None:
        """Be in that state from now on, and say so at once."""
        self._state, self._reason = state, reason
        await self._beat()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._beat()
            await asyncio.sleep(self._interval)

    async def _beat(self) -> None:
        await self._broker.signal(self._topic, wire.encode(self._describe(self._state, self._reason)))


async def listen(broker: Broker, topic: str, pilot: str, obey: Callable[[Command], None]) -> None:
    """Hand on the commands that are meant for this pilot, until cancelled or cut off."""
    try:
        async with broker.signals(topic) as stream:
            async for body in stream:
                command = _command(body)
                if command is not None and command.pilot in {"", pilot}:
                    logger.info("command_received action=%s", command.action)
                    obey(command)
    except BrokerError as error:
        logger.warning("signals_lost error=%s", error)


def _command(body: bytes) -> Command | None:
    try:
        signal = wire.decode_signal(body)
    except msgspec.MsgspecError as error:
        logger.warning("signal_unreadable error=%s", error)
        return None
    return signal if isinstance(signal, Command) else None
