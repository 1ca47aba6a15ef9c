"""One-time codes by which a program that has a token lets a browser in, so that the token itself is in no address."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from ewms.core.errors import Unauthenticated

_SECONDS = 600.0
_MOST = 100


class LoginCodes:
    """Kept in memory alone: a restart of the service makes them void.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}

    def code_for(self, token: str) -> str:
        """A code that is good once, for ten minutes. The oldest ones go when there are a hundred."""
        self._forget_old()
        while len(self._tokens) >= _MOST:
            del self._tokens[next(iter(self._tokens))]
        code = secrets.token_urlsafe(24)
        self._tokens[_digest(code)] = (token, self._clock() + _SECONDS)
        return code

    def redeem(self, code: str) -> str:
        """The token behind a code, once; `Unauthenticated` after that."""
        self._forget_old()
        token, _ = self._tokens.pop(_digest(code), ("", 0.0))
        if not token:
            raise Unauthenticated("the code was used before or is older than ten minutes; log in by a token")
        return token

    def _forget_old(self) -> None:
        now = self._clock()
        self._tokens = {key: kept for key, kept in self._tokens.items() if kept[1] > now}


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
