"""Tokens that the service makes, and those that it leaves for its own machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.core.errors import InputError, NotFound, Unauthenticated
from ewms.stores.collections import TOKENS
from ewms.stores.store import Store
from ewms.stores.urls import store_for
from ewms.wms.access.caller import Caller
from ewms.wms.access.local_tokens import provide_tokens
from ewms.wms.access.minted import PREFIX, MintedTokens
from ewms.wms.access.roles import Role


class Clock:
    """Time as a test has it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with store_for(str(tmp_path / "store.sqlite")) as store:
        yield store


@pytest.fixture
def minted(store: Store, clock: Clock) -> MintedTokens:
    return MintedTokens(store, clock)


async def test_a_token_names_its_owner(minted: MintedTokens) -> None:
    token = await minted.mint("ada", Role.USER, label="laptop")
    assert token.startswith(PREFIX)
    assert await minted.identify(token) == Caller(name="ada", role=Role.USER)
    assert await minted.mint("ada", Role.USER) != token


async def test_only_a_hash_is_kept(minted: MintedTokens, store: Store, tmp_path: Path) -> None:
    token = await minted.mint("ada", Role.USER)
    page = await store.find(TOKENS)
    assert token not in json.dumps([stored.body for stored in page.items])
    await store.close()
    assert all(token.encode() not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())  # noqa: ASYNC240


@pytest.mark.parametrize("change", ["", "x", "é"])
async def test_a_token_that_is_almost_right_is_wrong(minted: MintedTokens, change: str) -> None:
    token = await minted.mint("ada", Role.USER)
    with pytest.raises(Unauthenticated, match="not known here"):
        await minted.identify(token[:-1] + change)


async def test_revocation_is_immediate(minted: MintedTokens) -> None:
    token, other = await minted.mint("ada", Role.USER), await minted.mint("ada", Role.OPERATOR)
    [kept] = [document for document in await minted.listing() if document.role is Role.USER]
    await minted.revoke(kept.id)
    with pytest.raises(Unauthenticated, match="was revoked"):
        await minted.identify(token)
    assert (await minted.identify(other)).role is Role.OPERATOR
    with pytest.raises(NotFound):
        await minted.revoke(kept.id)


async def test_a_token_expires(minted: MintedTokens, clock: Clock) -> None:
    token = await minted.mint("ada", Role.USER, lifetime=60)
    clock.now += 59
    assert (await minted.identify(token)).name == "ada"
    clock.now += 1
    with pytest.raises(Unauthenticated, match="has expired"):
        await minted.identify(token)


@pytest.mark.parametrize("owner", ["", "a\nb", "x" * 201])
async def test_an_owner_has_a_name(minted: MintedTokens, owner: str) -> None:
    with pytest.raises(InputError, match="1 to 200 printable characters"):
        await minted.mint(owner, Role.USER)


async def test_a_machine_gets_its_tokens_once(minted: MintedTokens, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    await provide_tokens(minted, folder)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert first.keys() == {"operator.token", "tms.token"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])
    assert (await minted.identify(first["operator.token"])).role is Role.OPERATOR
    assert (await minted.identify(first["tms.token"])).role is Role.TMS
    await provide_tokens(minted, folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert len(await minted.listing()) == 2


async def test_a_machine_whose_store_was_replaced_gets_new_ones(minted: MintedTokens, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    await provide_tokens(minted, folder)
    for document in await minted.listing():
        await minted.revoke(document.id)
    await provide_tokens(minted, folder)
    assert (await minted.identify((folder / "operator.token").read_text())).role is Role.OPERATOR


async def test_a_token_file_that_others_may_read_is_refused(minted: MintedTokens, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    await provide_tokens(minted, folder)
    (folder / "operator.token").chmod(0o644)
    with pytest.raises(InputError, match=r"operator.token is open to others \(mode 644\); chmod 600 it"):
        await provide_tokens(minted, folder)
