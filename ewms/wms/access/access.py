"""Who a request comes from."""

from __future__ import annotations

import time
from typing import NamedTuple

from ewms.brokers.credentials import CredentialIssuer
from ewms.core.errors import Forbidden, Unauthenticated
from ewms.wms.access.caller import Caller
from ewms.wms.access.login_codes import LoginCodes
from ewms.wms.access.minted import PREFIX, MintedTokens
from ewms.wms.access.provider import Provider
from ewms.wms.access.roles import Role

_DAY = 86_400.0
_LONG_SESSION = 30 * _DAY
_SHORT_SESSION = _DAY / 2
_SESSION_LABEL = "session of a browser"
_ANONYMOUS = Caller(name="operator", role=Role.OPERATOR)


class Session(NamedTuple):
    """With what a browser is let in."""

    token: str
    """For its cookie."""
    seconds: float
    """For which the browser is to keep it."""


class Access:
    """Knows callers by their tokens, and issues credentials for queues.

    Parameters
    ----------
    minted
        Tokens that the service makes.
    provider
        The OpenID provider, if there is one.
    credentials
        Issues broker URLs.
    is_open
        Whoever brings no token is let in as an operator.
    public_url
        By which browsers reach the service.
    """

    def __init__(
        self,
        *,
        minted: MintedTokens,
        provider: Provider | None,
        credentials: CredentialIssuer,
        is_open: bool = False,
        public_url: str = "",
    ) -> None:
        self.minted = minted
        self.credentials = credentials
        self.codes = LoginCodes(time.monotonic)
        self.is_open = is_open
        self.public_url = public_url
        self._provider = provider

    async def identify(self, authorization: str | None, *, is_foreign: bool = False) -> Caller:
        """Who sends an `Authorization` header; None where there was none.

        Parameters
        ----------
        is_foreign
            A browser may have been made to send it by somebody who is not on this machine.

        Raises
        ------
        Unauthenticated
            There is no token, or it is not valid.
        Forbidden
            It is valid, but gives no role here; or there is none, and none is wanted of this machine alone.
        ProviderUnavailable
            Nobody can tell now.
        """
        if authorization is None:
            if not self.is_open:
                raise Unauthenticated
            if is_foreign:
                raise Forbidden("without a token only programs on this machine are let in, by the address 127.0.0.1")
            return _ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or not token.isascii():
            raise Unauthenticated("the Authorization header is not understood; send `Authorization: Bearer TOKEN`")
        if token.startswith(PREFIX):
            return await self.minted.identify(token)
        if self._provider is None:
            raise Unauthenticated("the token is none of this service's; have one made by `ewms token create`")
        return await self._provider.identify(token)

    async def begin_session(self, token: str) -> Session:
        """What a browser is let in with that brings a token; raises as `identify` does.

        A token of the provider is too long for a cookie and soon expires, so it is exchanged for one of this service.
        """
        caller = await self.identify(f"Bearer {token}")
        if token.startswith(PREFIX):
            return Session(token, _LONG_SESSION)
        made = await self.minted.mint(caller.name, caller.role, label=_SESSION_LABEL, lifetime=_SHORT_SESSION)
        return Session(made, _SHORT_SESSION)

    async def end_session(self, token: str) -> None:
        """Have what a browser was let in with taken no more, if it was made for that alone."""
        found = await self.minted.find(token)
        if found is not None and found.label == _SESSION_LABEL:
            await self.minted.revoke(found.id)

    async def revoke(self, workflow_id: str) -> None:
        """End everybody's access to the queues of a workflow."""
        await self.credentials.revoke(workflow_id)
