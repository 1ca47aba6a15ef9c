"""Tokens that the service makes: opaque, kept as hashes alone, revoked at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from ewms.core.errors import InputError, NotFound, Unauthenticated
from ewms.core.query import Query
from ewms.stores.collections import TOKENS
from ewms.stores.store import Delete, Insert, Store
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import Role

PREFIX = "ewms_"
"""By which people and scanners of leaked secrets know a token."""
_BYTES = 32
_ID_LENGTH = 16
_PAGE = 1000


class TokenDocument(BaseModel):
    """What is kept of a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    """Of the token, in hexadecimal digits."""
    owner: str
    """Whose it is."""
    role: Role
    """What it lets them do."""
    label: str
    """What they call it."""
    made: float
    """Seconds since 1970."""
    expires: float | None
    """Seconds since 1970; None for never."""

    @property
    def id(self) -> str:
        """By which it is listed and revoked; tells nothing of the token."""
        return self.sha256[:_ID_LENGTH]


class MintedTokens:
    """All of them.

    Parameters
    ----------
    clock
        Seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def mint(self, owner: str, role: Role, *, label: str = "", lifetime: float | None = None) -> str:
        """A new token, which nobody can look up again.

        Parameters
        ----------
        lifetime
            Seconds after which it is not taken any more; None for ever.
        """
        if not owner or not owner.isprintable() or len(owner) > 200:
            raise InputError("the owner of a token is a name of 1 to 200 printable characters")
        if not label.isprintable() or len(label) > 200:
            raise InputError("the label of a token is at most 200 printable characters")
        token = PREFIX + secrets.token_urlsafe(_BYTES)
        now = self._clock()
        document = TokenDocument(
            sha256=_digest(token),
            owner=owner,
            role=role,
            label=label,
            made=now,
            expires=None if lifetime is None else now + lifetime,
        )
        await self._store.write(Insert(collection=TOKENS, key=document.id, body=document.model_dump(mode="json")))
        return token

    async def find(self, token: str) -> TokenDocument | None:
        """What is kept of a token; None if it was not made here or was revoked."""
        digest = _digest(token)
        stored = await self._store.get(TOKENS, digest[:_ID_LENGTH])
        document = None if stored is None else TokenDocument.model_validate(stored.body)
        return document if document is not None and hmac.compare_digest(document.sha256, digest) else None

    async def identify(self, token: str) -> Caller:
        """Whose a token is; `Unauthenticated` if it was not made here, has expired or was revoked."""
        document = await self.find(token)
        if document is None:
            raise Unauthenticated("the token is not known here, or was revoked; have one made by `ewms token create`")
        if document.expires is not None and document.expires <= self._clock():
            raise Unauthenticated("the token has expired; have another made by `ewms token create`")
        return Caller(name=document.owner, role=document.role)

    async def revoke(self, token_id: str) -> None:
        """Have a token taken no more, from the next request on; `NotFound` if there is none of that id."""
        if await self._store.get(TOKENS, token_id) is None:
            raise NotFound(f"there is no token {token_id:.40}; see `ewms token list`")
        await self._store.write(Delete(collection=TOKENS, key=token_id))

    async def listing(self) -> list[TokenDocument]:
        """All that were not revoked, by owner."""
        found: list[TokenDocument] = []
        after: str | None = None
        while True:
            page = await self._store.find(TOKENS, Query.parse({}), order=[("owner", False)], after=after, limit=_PAGE)
            found += (TokenDocument.model_validate(stored.body) for stored in page.items)
            after = page.after
            if after is None:
                return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
