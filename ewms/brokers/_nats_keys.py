"""The keys of NATS's decentralised authentication: an operator's signs accounts, an account's signs users."""

from __future__ import annotations

import base64
import json
from typing import Any, Self

import nkeys

OPERATOR: int = nkeys.PREFIX_BYTE_OPERATOR
ACCOUNT: int = nkeys.PREFIX_BYTE_ACCOUNT
USER: int = nkeys.PREFIX_BYTE_USER


class Key:
    """A pair of keys: its public half names an operator, an account or a user, and its seed is a secret.

    Raises `ValueError` for what is no seed.
    """

    def __init__(self, seed: str) -> None:
        self.seed = seed
        try:
            self._pair = nkeys.from_seed(bytearray(seed.encode()))
        except nkeys.NkeysError as error:
            raise ValueError("this is no seed of an nkey, which has 58 characters and begins with S") from error
        self.id: str = self._pair.public_key.decode()

    @classmethod
    def made_of(cls, entropy: bytes, kind: int) -> Self:
        """The pair that 32 bytes make.

        Parameters
        ----------
        kind
            One of `OPERATOR`, `ACCOUNT` and `USER`.
        """
        return cls(nkeys.encode_seed(entropy, kind).decode())

    def token(
        self, subject: str, claims: dict[str, Any], *, name: str, identity: str, issued: int, expires: int | None = None
    ) -> str:
        """A token about somebody, signed by this key.

        Parameters
        ----------
        subject
            Public key of whom it is about.
        claims
            What NATS is told of them.
        name
            What the server's lists call them.
        identity
            Of the token.
        issued
            Seconds since 1970.
        expires
            Seconds since 1970; None for never.
        """
        body: dict[str, Any] = {"jti": identity, "iat": issued, "iss": self.id, "name": name, "sub": subject}
        if expires is not None:
            body["exp"] = expires
        body["nats"] = {**claims, "version": 2}
        signed = f"{_encoded({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_encoded(body)}"
        return f"{signed}.{_base64(self._pair.sign(signed.encode()))}"


def _encoded(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
