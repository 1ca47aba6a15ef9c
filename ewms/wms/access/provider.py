"""Bearer tokens of an OpenID provider: JSON Web Tokens, checked here by the provider's published keys."""

from __future__ import annotations

from typing import Any

import httpx2
import jwt

from ewms.core.errors import Unauthenticated
from ewms.core.service.access_configuration import AccessConfiguration
from ewms.wms.access.caller import Caller
from ewms.wms.access.claims import caller_from
from ewms.wms.access.signing_keys import SigningKeys

_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired; log in again"),
    (jwt.ImmatureSignatureError, "the token is not valid yet; check this machine's clock and the provider's"),
    (jwt.InvalidAudienceError, "the token was made for another service; log in to this one"),
    (jwt.InvalidIssuerError, "the token is of another provider; log in to this service"),
    (jwt.MissingRequiredClaimError, "the token lacks a claim that it must have: iss, aud, exp or sub; log in again"),
)
_REQUIRED = ("iss", "aud", "exp", "sub")


class Provider:
    """Knows callers by the tokens of one provider.

    Parameters
    ----------
    client
        Reaches it, within time limits.
    """

    def __init__(self, configuration: AccessConfiguration, client: httpx2.AsyncClient) -> None:
        self._configuration = configuration
        self._keys = SigningKeys(configuration.issuer, client)

    async def identify(self, token: str) -> Caller:
        """Whose a token is.

        Raises
        ------
        Unauthenticated
            It is not valid.
        Forbidden
            It gives no role here.
        ProviderUnavailable
            It is signed by a key that is not known, and the provider does not answer.
        """
        claims = await self._verified(token)
        return caller_from(claims, self._configuration.name, self._configuration.roles)

    async def close(self) -> None:
        """Ask the provider no more."""
        await self._keys.close()

    async def _verified(self, token: str) -> dict[str, Any]:
        allowed = self._configuration.algorithms
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in allowed:  # before the key is looked up: an algorithm is never the token's own choice
                raise Unauthenticated(f"the token is not signed by one of {', '.join(allowed)}; log in again")
            found = await self._keys.find(header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWK(dict(found), algorithm=found.get("alg", algorithm)),
                algorithms=list(allowed),
                audience=self._configuration.audience,
                issuer=self._configuration.issuer,
                leeway=self._configuration.leeway,
                options={"require": list(_REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(_reason(error)) from None
        return claims


def _reason(error: jwt.PyJWTError) -> str:
    return next((text for kind, text in _REASONS if isinstance(error, kind)), "the token is not valid; log in again")
