"""What an issued broker URL of NATS logs in with, for our own client and for those who bring another."""

from __future__ import annotations

import re
from typing import Self

import msgspec

from ewms.brokers._nats_jwt import body_of

_USERINFO = re.compile(r"(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+):(SU[A-Z2-7]{56})")
_FILE = (
    "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
    "-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
)


def inbox_of(identity: str) -> str:
    """Where answers go to whoever logs in by the token of that identity, and to nobody else."""
    return f"_INBOX.{identity}"


class NatsLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A user's token, and the seed of the key that it is for."""

    token: str
    """Signed by an account; says what the user may do, and until when."""
    seed: str
    """The secret."""

    @classmethod
    def of(cls, userinfo: str) -> Self | None:
        """What stands before the `@` of a URL; None if that is something else."""
        match = _USERINFO.fullmatch(userinfo)
        return None if match is None else cls(token=match[1], seed=match[2])

    def url(self, server: str) -> str:
        """The broker URL for a server's, which has no credentials."""
        scheme, _, rest = server.partition("://")
        return f"{scheme}://{self.token}:{self.seed}@{rest}"

    @property
    def inbox(self) -> str:
        """Prefix of the subjects where answers must go: other clients are told so when they connect."""
        return inbox_of(body_of(self.token)["jti"])

    @property
    def credentials(self) -> str:
        """The content of a `.creds` file, as all clients of NATS read it."""
        return _FILE.format(token=self.token, seed=self.seed)
