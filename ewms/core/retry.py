"""How often an event is tried again, as data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetryPolicy(BaseModel):
    """When an unsuccessful event is tried again, and when it is given up on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_failures: int = Field(default=3, ge=1)
    """An event that failed this often becomes a dead letter."""
    max_vanishes: int = Field(default=5, ge=1)
    """An event that took this many pilots with it becomes a dead letter."""
    delay: float = Field(default=0.0, ge=0)
    """Seconds to wait before the second attempt."""
    backoff: float = Field(default=2.0, ge=1)
    """Factor by which the delay grows with every failure."""
    max_delay: float = Field(default=300.0, ge=0)
    """No delay is longer, in seconds."""

    def delay_after(self, failures: int) -> float:
        """Seconds to wait after that many failures (from 1)."""
        return min(self.max_delay, self.delay * self.backoff ** min(failures - 1, 64)) if self.delay else 0.0
