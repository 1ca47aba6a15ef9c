"""Who may send alerts by webhook: whoever knows the secret, and not with what was sent long ago. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from ewms.services import Unauthenticated

SIGNATURE: Final = "X-Hub-Signature-256"
"""`sha256=` and the HMAC of the body; with a timestamp, of timestamp, a dot and the body."""
TIMESTAMP: Final = "X-Hub-Timestamp"
"""When it was sent, seconds since 1970. Optional; given, it is part of what is signed."""
WINDOW: Final = 300.0
"""Seconds that a timestamp may be off."""
_is_timestamp = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII).fullmatch


def signature_of(secret: bytes, body: bytes, timestamp: str | None = None) -> str:
    """Return what a sender writes into the header."""
    signed = body if timestamp is None else timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def check_signature(secret: bytes, body: bytes, given: str | None, timestamp: str | None, now: float) -> None:
    """Return if a body was signed with the secret, and lately where it says when.

    Parameters
    ----------
    given, timestamp : the headers; None where they are missing.
    now : seconds since 1970.

    Raises
    ------
    Unauthenticated
        It was not.
    """
    if given is None:
        raise Unauthenticated(f"the alert is not signed; send {SIGNATURE}: sha256= and the HMAC-SHA256 of the body")
    expected = signature_of(secret, body, timestamp)
    if not hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace")):
        raise Unauthenticated(
            f"{SIGNATURE} does not fit the body; sign it with the secret of [plugins.skydriver] webhook_secret"
        )
    if timestamp is None:
        return
    if not _is_timestamp(timestamp) or abs(float(timestamp) - now) > WINDOW:
        raise Unauthenticated(f"{TIMESTAMP} is more than {WINDOW:g} s off; set the clock, and sign anew")
