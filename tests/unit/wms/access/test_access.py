"""From the `Authorization` header to a caller."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.brokers.credentials import SharedCredentials
from ewms.core.errors import Forbidden, Unauthenticated
from ewms.stores.urls import store_for
from ewms.wms.access.access import Access
from ewms.wms.access.minted import MintedTokens
from ewms.wms.access.provider import Provider
from ewms.wms.access.roles import ANYBODY, RULES, Role, require, rule_of
from tests.support.oidc import Issuer
from tests.unit.wms.access.test_provider import CONFIGURATION


@pytest.fixture
async def minted(tmp_path: Path) -> AsyncIterator[MintedTokens]:
    async with store_for(str(tmp_path / "store.sqlite")) as store:
        yield MintedTokens(store, time.time)


def access(minted: MintedTokens, provider: Provider | None = None, *, is_open: bool = False) -> Access:
    return Access(
        minted=minted, provider=provider, credentials=SharedCredentials("amqp://me:secret@host:1/v"), is_open=is_open
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer é", "ewms_x", "Bearer ewms_x", "Bearer eyJ.e.e"]
)
async def test_what_is_no_token_of_ours_is_refused(minted: MintedTokens, header: str) -> None:
    for is_open in (False, True):
        with pytest.raises(Unauthenticated) as caught:
            await access(minted, is_open=is_open).identify(header)
        assert "\n" not in str(caught.value)


async def test_without_a_token_only_an_open_service_lets_anybody_in(minted: MintedTokens) -> None:
    assert (await access(minted, is_open=True).identify(None)).role is Role.OPERATOR
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        await access(minted).identify(None)


async def test_minted_tokens_work_beside_a_provider(minted: MintedTokens) -> None:
    issuer = Issuer()
    async with issuer.client() as client:
        provider = Provider(CONFIGURATION, client)
        both = access(minted, provider)
        assert (await both.identify(f"Bearer {await minted.mint('tms-1', Role.TMS)}")).name == "tms-1"
        assert (await both.identify(f"bearer  {issuer.token()}")).name == "ada"
        await provider.close()


def test_a_route_that_nobody_thought_of_is_for_operators() -> None:
    rule = rule_of("POST", "/api/brand-new")
    require("ada", Role.OPERATOR, rule)
    for role in set(Role) - {Role.OPERATOR}:
        with pytest.raises(Forbidden, match=f"ada has the role {role}"):
            require("ada", role, rule)
    assert rule_of("HEAD", "/healthz") == ANYBODY


def test_operators_may_do_everything_and_pilots_nothing() -> None:
    roles = [rule.roles for rule in RULES.values() if rule.roles is not None]
    assert all(Role.OPERATOR in allowed for allowed in roles)
    assert not any(Role.PILOT in allowed for allowed in roles)
