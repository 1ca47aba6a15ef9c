"""The tokens of a service that has no OpenID provider, left where those who share its machine and its user find them."""

from __future__ import annotations

from pathlib import Path

from ewms.core.errors import Unauthenticated
from ewms.secret_file import read_secret_file, write_secret_file
from ewms.wms.access.minted import MintedTokens
from ewms.wms.access.roles import Role

_LABEL = "made at the first start"


async def provide_tokens(minted: MintedTokens, folder: Path) -> None:
    """See that `operator.token` and `tms.token` in a folder are good; `InputError` where one is open to others.

    One that was revoked is replaced: who can read the folder can make tokens anyway.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  once, before anything is served
    for role in (Role.OPERATOR, Role.TMS):
        path = folder / f"{role}.token"
        if not path.exists() or not await _is_good(minted, read_secret_file(path)):
            write_secret_file(path, await minted.mint(role.value, role, label=_LABEL))


async def _is_good(minted: MintedTokens, token: str) -> bool:
    try:
        await minted.identify(token)
    except Unauthenticated:
        return False
    return True
