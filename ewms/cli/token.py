"""`ewms token`."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from ewms.config_file import read_configuration
from ewms.core.errors import InputError
from ewms.secret_file import write_secret_file
from ewms.stores.sqlite_store import SqliteStore
from ewms.stores.urls import store_for
from ewms.wms.access.minted import MintedTokens, TokenDocument
from ewms.wms.access.roles import Role

_FILE = click.Path(path_type=Path)
_DAY = 86_400
_config = click.option("--config", type=_FILE, metavar="FILE", envvar="EWMS_CONFIG", help="The service's ewms.toml.")
_data = click.option("--data", type=_FILE, metavar="DIR", help="The service's data folder, where the file names none.")


@click.group()
def token() -> None:
    """Tokens that a service makes itself: for one machine, or beside an OpenID provider.

    They are made, listed and revoked in the service's store, whether it runs or not; only hashes are kept there.
    """


@token.command()
@click.argument("owner")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.USER.value, show_default=True)
@click.option("--label", default="", help="What to remember it by.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it is good; for ever if left out.")
@click.option("--out", type=_FILE, metavar="FILE", help="Write it to FILE, for you alone, and not to the terminal.")
@_config
@_data
def create(
    owner: str, role: str, label: str, days: float | None, out: Path | None, config: Path | None, data: Path | None
) -> None:
    """Make a token for OWNER. It is shown once, and cannot be looked up again."""
    made = asyncio.run(_create(config, data, owner, Role(role), label, None if days is None else days * _DAY))
    if out is None:
        click.echo(made)
        return
    try:
        write_secret_file(out, made)
    except OSError as error:
        raise InputError(f"the token cannot be written to {out}: {error.strerror}; revoke it and make another") from error


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
@_config
@_data
def list_tokens(as_json: bool, config: Path | None, data: Path | None) -> None:
    """List tokens: what is known of them, but not the tokens themselves."""
    found = asyncio.run(_listing(config, data))
    if as_json:
        click.echo(json.dumps([{"id": one.id, **one.model_dump(mode="json", exclude={"sha256"})} for one in found]))
        return
    width = max((len(one.owner) for one in found), default=0)
    for one in found:
        until = "for ever" if one.expires is None else f"until {_day(one.expires)}"
        click.echo(f"{one.id}  {one.owner:{width}}  {one.role:8}  {_day(one.made)}  {until:17}  {one.label}".rstrip())


@token.command()
@click.argument("token_ids", metavar="ID...", nargs=-1, required=True)
@_config
@_data
def revoke(token_ids: tuple[str, ...], config: Path | None, data: Path | None) -> None:
    """Revoke tokens by the IDs that `ewms token list` shows: from the next request on they are not taken."""
    asyncio.run(_revoke(config, data, token_ids))


async def _create(config: Path | None, data: Path | None, owner: str, role: Role, label: str, lifetime: float | None) -> str:
    async with _opened(config, data) as minted:
        return await minted.mint(owner, role, label=label, lifetime=lifetime)


async def _listing(config: Path | None, data: Path | None) -> list[TokenDocument]:
    async with _opened(config, data) as minted:
        return await minted.listing()


async def _revoke(config: Path | None, data: Path | None, token_ids: tuple[str, ...]) -> None:
    async with _opened(config, data) as minted:
        for token_id in token_ids:
            await minted.revoke(token_id)


@asynccontextmanager
async def _opened(config: Path | None, data: Path | None) -> AsyncIterator[MintedTokens]:
    """The tokens of a service; `InputError` where it has no store yet, which would be made in the wrong place."""
    store = store_for(read_configuration(config, data=data).service.store_url)
    if isinstance(store, SqliteStore) and not store.path.exists():
        raise InputError(f"there is no store at {store.path}; check --config and --data, or start the service first")
    async with store:
        yield MintedTokens(store, time.time)


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()
