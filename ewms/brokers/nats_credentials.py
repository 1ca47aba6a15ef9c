"""Credentials at NATS: users whose tokens are signed here, without a word to the server until they are revoked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Self

import msgspec

from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_jwt import body_of, user_claims
from ewms.brokers._nats_keys import USER, Key
from ewms.brokers._nats_permissions import subjects_of
from ewms.brokers._nats_url import NatsAddress
from ewms.brokers.credentials import MAX_LIFETIME, CredentialIssuer, Grant
from ewms.brokers.nats_login import NatsLogin
from ewms.brokers.urls import DEFAULT_PATIENCE
from ewms.core.errors import BrokerRejected, InputError
from ewms.core.service.access_configuration import NatsAccess

logger = logging.getLogger("ewms.brokers.nats")

_OK = 200
_BYTES = 100
"""Of one revocation in the account's token: a user's id and a time."""
_SHARE = 2
"""What is revoked fills one part in so many, at most, of the largest message that servers take: its token must fit there."""


class _Result(msgspec.Struct):
    code: int = 0
    message: str = ""
    description: str = ""


class _Answer(msgspec.Struct):
    data: _Result = msgspec.field(default_factory=_Result)
    error: _Result = msgspec.field(default_factory=_Result)


class NatsCredentials(CredentialIssuer):
    """Users of one account, in which they see nothing but what it imports: see `ewms.brokers._nats_permissions`.

    The key of a workflow's users is derived from the account's, so that it can be revoked by whoever has that one.

    Parameters
    ----------
    account, operator
        Seeds: of the guests' account, and of the operator.
    system
        Broker URL of a user of the system account.
    server
        URL of the server as pilots and users reach it, without credentials.
    clock
        Seconds since 1970, as servers have it.

    Raises
    ------
    InputError
        One of the first two is no seed.
    """

    def __init__(
        self,
        *,
        account: str,
        operator: str,
        system: str,
        server: str,
        patience: float = DEFAULT_PATIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = _key(account, "account")
        self._operator = _key(operator, "operator")
        self._server = server
        self._clock = clock
        self._connection = Connection(NatsAddress.parse(system), patience)
        self._is_open = False
        self._telling = asyncio.Lock()
        self._untold: dict[str, int] = {}
        self._revoked: dict[str, int] = {}

    @classmethod
    def configured(cls, access: NatsAccess, server: str) -> Self:
        """As the service's configuration has it; `InputError` if that lacks something."""
        if access.account is None or access.operator is None or access.system is None:
            raise InputError("[access.nats] needs account, operator and system: users that cannot be revoked are not made")
        return cls(
            account=access.account.get_secret_value(),
            operator=access.operator.get_secret_value(),
            system=access.system.get_secret_value(),
            server=server,
        )

    async def issue(self, grant: Grant, lifetime: float) -> str:
        """As in the contract. Asks no server."""
        user = self._user(grant.workflow_id)
        identity = secrets.token_hex(16)
        # A token counts as revoked if it was made in the second of the revocation.
        issued = max(int(self._clock()), self._revoked.get(user.id, 0) + 1)
        token = self._account.token(
            user.id,
            user_claims(*subjects_of(grant, identity)),
            name=f"{grant.purpose} of {grant.workflow_id}",
            identity=identity,
            issued=issued,
            expires=issued + int(min(lifetime, MAX_LIFETIME)) + 1,
        )
        return NatsLogin(token=token, seed=user.seed).url(self._server)

    async def revoke(self, workflow_id: str) -> None:
        """As in the contract."""
        user, now = self._user(workflow_id), int(self._clock())
        self._revoked = {user: at for user, at in self._revoked.items() if at >= now}  # others are of no more use to `issue`
        self._untold[user.id] = self._revoked[user.id] = now
        async with self._telling:  # whoever waits here is told of with all others at once
            if user.id in self._untold:
                await self._tell()
        logger.info("credentials_revoked workflow=%s", workflow_id)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    def _user(self, workflow_id: str) -> Key:
        entropy = hmac.digest(self._account.seed.encode(), workflow_id.encode(), hashlib.sha256)
        return Key.made_of(entropy, USER)

    async def _tell(self) -> None:
        """Make servers know everything that is revoked."""
        if not self._is_open:
            await self._connection.open()
            self._is_open = True
        untold = dict(self._untold)
        now = int(self._clock())
        known = await self._account_token()
        claims = known["nats"]
        claims["revocations"] = self._needed({**claims.get("revocations", {}), **untold}, now)
        # Of two tokens that were made in the same second servers may keep the first.
        issued = max(now, known["iat"] + 1)
        token = self._operator.token(
            self._account.id, claims, name=known["name"], identity=secrets.token_hex(16), issued=issued
        )
        reply = await self._connection.request("$SYS.REQ.CLAIMS.UPDATE", token.encode())
        answer = msgspec.json.decode(reply.data, type=_Answer)
        if answer.data.code != _OK:
            reason = answer.error.description or answer.data.message or "no reason given"
            raise BrokerRejected(f"{self._connection.shown} does not take the account's revocations: {reason}")
        for user, at in untold.items():
            if self._untold.get(user) == at:
                del self._untold[user]

    def _needed(self, revocations: dict[str, int], now: int) -> dict[str, int]:
        """Those of credentials that may not have ended by themselves, but no more than servers take: the latest."""
        kept = {user: at for user, at in revocations.items() if at > now - MAX_LIFETIME}
        room = self._connection.max_payload // (_SHARE * _BYTES)
        if len(kept) <= room:
            return kept
        logger.warning("revocations_dropped count=%d kept=%d: raise the server's max_payload", len(kept) - room, room)
        return dict(sorted(kept.items(), key=lambda item: item[1])[len(kept) - room :])

    async def _account_token(self) -> dict[str, Any]:
        """What servers know of the account."""
        reply = await self._connection.request(f"$SYS.REQ.ACCOUNT.{self._account.id}.CLAIMS.LOOKUP")
        try:
            return body_of(reply.data.decode())
        except ValueError as error:
            raise BrokerRejected(
                f"{self._connection.shown} tells nothing of the account; check [access.nats] account and system"
            ) from error


def _key(seed: str, name: str) -> Key:
    try:
        return Key(seed)
    except ValueError as error:
        raise InputError(f"[access.nats] {name}: {error}") from None
