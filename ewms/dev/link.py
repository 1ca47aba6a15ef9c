"""The link that lets a browser in: in it is a code that is good once, not the token."""

from __future__ import annotations

import contextlib

import httpx2

from ewms.dev.folder import DevFolder
from ewms.secret_file import read_secret_file

_SECONDS = 10.0


def login_link(url: str, folder: DevFolder) -> str:
    """A link for one browser, for ten minutes; the address alone where the service makes none just now."""
    headers = {"Authorization": f"Bearer {read_secret_file(folder.operator_token)}"}
    with contextlib.suppress(httpx2.HTTPError):
        answer = httpx2.post(f"{url}/ui/login/code", headers=headers, timeout=_SECONDS, trust_env=False)
        if answer.is_success:
            return str(answer.json()["url"])
    return url
