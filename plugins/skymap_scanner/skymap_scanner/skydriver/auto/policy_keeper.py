"""The policy in force: its file is read again when it changes, and a wrong one does not take the place of a right one."""

from __future__ import annotations

import logging
from pathlib import Path

from skymap_scanner.skydriver.auto.policy_file import PolicyError, ReadPolicy, read_policy

_log = logging.getLogger("ewms.service")


class PolicyKeeper:
    """Looks at the file whenever it is asked, which costs a call of the system.

    Parameters
    ----------
    path
        The file; None for the policy that comes with the package.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._policy: ReadPolicy | None = None
        self.trouble = ""
        """What is wrong with the file as it is now; the policy before it stays in force."""

    def current(self) -> ReadPolicy:
        """The policy in force; `PolicyError` where there never was a right one. Synchronous: it may read a file."""
        seen = self._signature()
        if seen != self._seen or (self._policy is None and not self.trouble):
            self._seen = seen
            try:
                self._policy, self.trouble = read_policy(self._path), ""
                _log.info("policy_read", extra={"policy": self._policy.where, "version": self._policy.version})
            except PolicyError as error:
                self.trouble = str(error)
                _log.error("policy_refused", extra={"reason": self.trouble})
        if self._policy is None:
            raise PolicyError(self.trouble)
        return self._policy

    def _signature(self) -> tuple[int, int, int] | None:
        """Changes with the file; None where it cannot be seen."""
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
