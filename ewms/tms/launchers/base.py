"""The launcher contract."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ewms.core.config import PilotConfig


class Launcher(ABC):
    """Keeps a number of slots filled with pilots of one workflow."""

    pilots_survive: bool
    """Whether pilots outlive the process that launched them."""
    shares_files: bool = True
    """Whether pilots see the files of this machine; otherwise no body may go by reference to them."""

    @abstractmethod
    async def start(self, config: PilotConfig, workers: int) -> None:
        """Start pilots with that many slots together, and replace those that die.

        `config.slots` is chosen by the launcher.
        """

    @abstractmethod
    async def wait_broken(self) -> str:
        """Return the reason, in one line, once pilots cannot be kept alive; until then do not return."""

    @abstractmethod
    def note_progress(self, done: int) -> None:
        """So many events are done in all: pilots that die now and then are not a crash loop as long as this grows."""

    @abstractmethod
    async def stop(self, grace: float) -> None:
        """Drain all pilots, and end what has not ended after the grace time, in seconds. Nothing is left running."""
