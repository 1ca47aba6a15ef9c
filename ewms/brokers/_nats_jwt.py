"""What the tokens of NATS's decentralised authentication say, in the form that `nsc` writes (version 2). Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

UNLIMITED = -1


def user_claims(publish: Sequence[str], subscribe: Sequence[str]) -> dict[str, Any]:
    """Of a user who may do just that.

    `ValueError` for an empty list, which NATS takes for leave to do everything.
    """
    if not (publish and subscribe):
        raise ValueError("a user without any rights at all is not made")
    return {
        "type": "user",
        "pub": {"allow": list(publish)},
        "sub": {"allow": list(subscribe)},
        "subs": UNLIMITED,
        "data": UNLIMITED,
        "payload": UNLIMITED,
    }


def body_of(token: str) -> dict[str, Any]:
    """What a token says. Whether it says the truth is for servers to judge. `ValueError` for what is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a token has three parts")
    body: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    return body
