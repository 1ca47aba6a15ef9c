"""Secrets as they look, taken out of what is logged: a second line of defence, for texts that came from elsewhere. Pure."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"""
    ewms_[A-Za-z0-9_-]{40,}                                         # tokens that the service made
    | eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,} # JSON Web Tokens
    | \bS[OAUCNX][A-Z2-7]{56}\b                                     # seeds of nkeys
    | (?<=://)[^\s/@"'\\]+(?=@)                                     # user and password of a URL
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/-]{8,}=*                       # any other token
    """,
    re.VERBOSE | re.ASCII,
)


def redacted(text: str) -> str:
    """A text with `…` in the place of what looks like a secret."""
    return _SECRETS.sub("…", text)
