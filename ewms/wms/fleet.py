"""The pilots that a driver has heard of lately, from their lossy heartbeats. Nothing depends on it but comfort."""

from __future__ import annotations

from dataclasses import dataclass, field

from ewms.core.wire import Heartbeat

_SILENCE = 30.0


@dataclass(slots=True)
class Fleet:
    """Last heartbeat of each pilot and when it came, on the caller's clock."""

    _heard: dict[str, tuple[float, Heartbeat]] = field(default_factory=dict)

    def hear(self, beat: Heartbeat, now: float) -> None:
        """Take in a heartbeat."""
        self._heard[beat.pilot] = (now, beat)

    def alive(self, now: float) -> list[Heartbeat]:
        """Last words of the pilots that were heard in the last half minute and did not say good-bye."""
        return [beat for at, beat in self._heard.values() if now - at < _SILENCE and beat.state != "ended"]
