"""The keys by which an OpenID provider signs: fetched when needed, kept while it is away, changed when it changes them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from ewms.core.errors import ProviderUnavailable, Unauthenticated

_log = logging.getLogger("ewms.access")

FRESH_SECONDS = 300.0
"""After which the keys are looked at again, so that those which the provider withdrew are not trusted for ever."""
PAUSE_SECONDS = 5.0
"""Between two looks at least, however many tokens name keys that are not known."""
_DISCOVERY = "/.well-known/openid-configuration"

JsonWebKey = Mapping[str, Any]


class _Discovery(BaseModel):
    issuer: str
    jwks_uri: str


class _Keys(BaseModel):
    keys: list[dict[str, Any]]


class SigningKeys:
    """The keys of one provider.

    Parameters
    ----------
    client
        Has its time limits.
    clock
        Monotonic seconds.
    """

    def __init__(self, issuer: str, client: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._keys: dict[str | None, JsonWebKey] = {}
        self._looked_at = -FRESH_SECONDS
        self._is_away = True
        self._looking: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None) -> JsonWebKey:
        """The key of that name, which may be new.

        Raises
        ------
        Unauthenticated
            The provider has no such key.
        ProviderUnavailable
            It cannot be asked.
        """
        age = self._clock() - self._looked_at
        if key_id in self._keys:
            if age > FRESH_SECONDS:
                self._look()  # beside: nobody waits for a provider that is away, as long as the key is known
            return self._keys[key_id]
        if age > PAUSE_SECONDS or self._looking is not None:
            await asyncio.wait({self._look()})
        if key_id in self._keys:
            return self._keys[key_id]
        if self._is_away:
            raise ProviderUnavailable(f"the OpenID provider {self._issuer} does not answer; try again later")
        raise Unauthenticated("the token is signed by a key that its provider does not publish; log in again")

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _look(self) -> asyncio.Task[None]:
        if self._looking is None:
            self._looking = asyncio.create_task(self._fetch())
        return self._looking

    async def _fetch(self) -> None:
        try:
            discovery = _Discovery.model_validate(await self._get(self._issuer.rstrip("/") + _DISCOVERY))
            if discovery.issuer != self._issuer:
                raise ValueError(
                    f"it calls itself {discovery.issuer:.200}; write that as [access] issuer if it is the right one"
                )
            if self._issuer.startswith("https:") and not discovery.jwks_uri.startswith("https:"):
                raise ValueError("its keys are not behind https")
            found = _Keys.model_validate(await self._get(discovery.jwks_uri)).keys
            self._keys = _by_id(found)
            self._is_away = False
        except (httpx2.HTTPError, httpx2.InvalidURL, ValidationError, ValueError) as error:
            self._is_away = True
            _log.warning(
                "provider_unavailable", extra={"issuer": self._issuer, "reason": str(error) or type(error).__name__}
            )
        finally:
            self._looked_at = self._clock()
            self._looking = None

    async def _get(self, url: str) -> object:
        answer = await self._client.get(url)
        answer.raise_for_status()
        document: object = answer.json()
        return document


def _by_id(keys: list[dict[str, Any]]) -> dict[str | None, JsonWebKey]:
    """Keys that verify signatures, by their names; where there is but one, tokens need not name it."""
    signing = [key for key in keys if key.get("use", "sig") == "sig" and key.get("kty") in {"RSA", "EC", "OKP"}]
    by_id: dict[str | None, JsonWebKey] = {key.get("kid"): key for key in signing}
    if len(signing) == 1:
        by_id[None] = signing[0]
    return by_id
