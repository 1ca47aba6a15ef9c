"""Tokens of an OpenID provider: which are taken, which are not, and what happens when keys change or nobody answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import EwmsError, Forbidden, ProviderUnavailable, Unauthenticated
from ewms.core.service.access_configuration import AccessConfiguration
from ewms.wms.access.caller import Caller
from ewms.wms.access.provider import Provider
from ewms.wms.access.roles import Role
from ewms.wms.access.signing_keys import FRESH_SECONDS, PAUSE_SECONDS, SigningKeys
from tests.support.oidc import AUDIENCE, ISSUER, Issuer

CONFIGURATION = AccessConfiguration.model_validate(
    {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "roles": {
            "operator": ["groups=/operators"],
            "tms": ["ewms_role=system-tms"],
            "user": ["groups=/users", "groups=/institutions/*"],
        },
    }
)


SHARED = Issuer()
"""For tests that change nothing of it."""


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def provider(issuer: Issuer) -> AsyncIterator[Provider]:
    async with issuer.client() as client:
        provider = Provider(CONFIGURATION, client)
        yield provider
        await provider.close()


async def test_a_good_token_names_its_bearer(issuer: Issuer, provider: Provider) -> None:
    assert await provider.identify(issuer.token()) == Caller(name="ada", role=Role.USER)
    assert (await provider.identify(issuer.token(aud=["account", AUDIENCE]))).name == "ada"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["/operators", "/users"]}, Role.OPERATOR),
        ({"ewms_role": "system-tms"}, Role.TMS),
        ({"groups": ["/institutions/here"]}, Role.USER),
    ],
)
async def test_claims_give_roles(issuer: Issuer, provider: Provider, claims: dict[str, Any], role: Role) -> None:
    assert (await provider.identify(issuer.token(**claims))).role is role


@pytest.mark.parametrize("claims", [{"groups": []}, {"groups": "/other"}, {"groups": None}, {"groups": {"/users": 1}}])
async def test_without_a_role_nobody_comes_in(issuer: Issuer, provider: Provider, claims: dict[str, Any]) -> None:
    with pytest.raises(Forbidden, match="ada has no role here"):
        await provider.identify(issuer.token(**claims))


@pytest.mark.parametrize(
    ("claims", "telling"),
    [
        ({"exp": int(time.time()) - 60}, "has expired; log in again"),
        ({"exp": None}, "lacks a claim"),
        ({"aud": "another"}, "made for another service"),
        ({"aud": None}, "lacks a claim"),
        ({"iss": "https://evil.example"}, "of another provider"),
        ({"iss": ISSUER + "/"}, "of another provider"),
        ({"nbf": int(time.time()) + 3600}, "not valid yet"),
        ({"sub": None}, "lacks a claim"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "a\nb"}, "names nobody"),
    ],
)
async def test_other_tokens_are_refused(issuer: Issuer, provider: Provider, claims: dict[str, Any], telling: str) -> None:
    token = issuer.token(**claims)
    with pytest.raises(Unauthenticated, match=telling) as caught:
        await provider.identify(token)
    assert token not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_clock_may_differ_a_little(issuer: Issuer, provider: Provider) -> None:
    assert (await provider.identify(issuer.token(exp=int(time.time()) - 5))).name == "ada"


async def test_a_token_does_not_choose_how_it_is_checked(issuer: Issuer, provider: Provider) -> None:
    public = issuer.keys["first"][1].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": "first"})
    for forged in (unsigned, _signed_by_public_key(claims, pem), issuer.token().rpartition(".")[0] + "."):
        with pytest.raises(Unauthenticated):
            await provider.identify(forged)


def _signed_by_public_key(claims: dict[str, Any], pem: bytes) -> str:
    """The oldest trick: the public key as the secret of an HMAC."""

    def encoded(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = encoded({"alg": "HS256", "typ": "JWT", "kid": "first"}) + b"." + encoded(claims)
    return (signed + b"." + base64.urlsafe_b64encode(hmac.digest(pem, signed, hashlib.sha256)).rstrip(b"=")).decode()


async def test_a_key_of_another_kind_is_not_taken(issuer: Issuer, provider: Provider) -> None:
    issuer.add("curve", "ES256")
    token = issuer.token("curve", headers={"kid": "first"})
    with pytest.raises(Unauthenticated):
        await provider.identify(token)
    assert (await provider.identify(issuer.token("curve"))).name == "ada"


async def test_symmetric_keys_of_a_provider_are_passed_over(issuer: Issuer, provider: Provider) -> None:
    issuer.published.append({"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"x" * 32).decode()})
    assert (await provider.identify(issuer.token())).name == "ada"
    with pytest.raises(Unauthenticated, match="does not publish"):
        await provider.identify(issuer.token(headers={"kid": "shared"}))


async def test_only_a_provider_with_one_key_need_not_name_it(issuer: Issuer, provider: Provider) -> None:
    assert (await provider.identify(issuer.token(headers={}))).name == "ada"


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
async def test_whatever_is_sent_is_refused_in_one_line(text: str) -> None:
    issuer = SHARED
    async with issuer.client() as client:
        provider = Provider(CONFIGURATION, client)
        try:
            with pytest.raises(EwmsError) as caught:
                await provider.identify(text)
        finally:
            await provider.close()
    assert isinstance(caught.value, Unauthenticated)
    assert "\n" not in str(caught.value)


class Clock:
    """Time as a test has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_new_keys_are_found_and_withdrawn_ones_forgotten(issuer: Issuer) -> None:
    clock = Clock()
    async with issuer.client() as client:
        keys = SigningKeys(ISSUER, client, clock)
        assert (await keys.find("first"))["kid"] == "first"
        issuer.add("second")
        issuer.withdraw("first")
        clock.now += PAUSE_SECONDS + 1
        assert (await keys.find("second"))["kid"] == "second"
        with pytest.raises(Unauthenticated, match="does not publish"):
            await keys.find("first")
        await keys.close()


async def test_a_withdrawn_key_is_not_trusted_for_ever(issuer: Issuer) -> None:
    clock = Clock()
    async with issuer.client() as client:
        keys = SigningKeys(ISSUER, client, clock)
        await keys.find("first")
        issuer.add("second")
        issuer.withdraw("first")
        clock.now += FRESH_SECONDS + 1
        await keys.find("first")  # makes it look, and does not wait for that
        await keys.find("second")
        with pytest.raises(Unauthenticated):
            await keys.find("first")
        await keys.close()


async def test_unknown_keys_do_not_make_it_ask_at_each_request(issuer: Issuer) -> None:
    clock = Clock()
    async with issuer.client() as client:
        keys = SigningKeys(ISSUER, client, clock)
        await keys.find("first")
        asked = issuer.requests
        results = await asyncio.gather(*(keys.find(f"unknown-{number}") for number in range(50)), return_exceptions=True)
        assert all(isinstance(result, Unauthenticated) for result in results)
        assert issuer.requests == asked
        clock.now += PAUSE_SECONDS + 1
        await asyncio.gather(*(keys.find(f"unknown-{number}") for number in range(50)), return_exceptions=True)
        assert issuer.requests == asked + 2
        await keys.close()


async def test_while_the_provider_is_away_known_keys_are_good(issuer: Issuer) -> None:
    clock = Clock()
    async with issuer.client() as client:
        keys = SigningKeys(ISSUER, client, clock)
        issuer.is_away = True
        with pytest.raises(ProviderUnavailable, match="does not answer; try again later"):
            await keys.find("first")
        issuer.is_away = False
        clock.now += PAUSE_SECONDS + 1
        await keys.find("first")
        issuer.is_away = True
        for _ in range(3):
            clock.now += FRESH_SECONDS + 1
            assert (await keys.find("first"))["kid"] == "first"
        with pytest.raises(ProviderUnavailable):
            await keys.find("second")
        await keys.close()


async def test_a_provider_of_another_name_is_not_believed(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    issuer.calls_itself = "https://login.observatory.example/realms/other"
    async with issuer.client() as client:
        keys = SigningKeys(ISSUER, client)
        with pytest.raises(ProviderUnavailable):
            await keys.find("first")
        await keys.close()
    assert "provider_unavailable" in caplog.text
