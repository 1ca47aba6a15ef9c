"""A listening service, asked over TLS, by browsers, and with tokens of a provider that really answers."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest
import trustme

from ewms.core.errors import InputError
from ewms.wms.access.roles import Role
from tests.support.oidc import AUDIENCE, listening_issuer
from tests.support.service import running_service


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:1"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8080"}, 403),
        ({"Host": "[::1"}, 403),
    ],
)
async def test_an_open_service_takes_no_orders_from_pages_of_elsewhere(
    tmp_path: Path, headers: dict[str, str], code: int
) -> None:
    async with running_service(tmp_path, access={"anonymous": True}) as service, service.client() as client:
        answer = await client.get("/api/workflows", headers=headers)
        assert answer.status_code == code
        if code != 200:
            assert "127.0.0.1" in answer.json()["error"]


async def test_the_tokens_of_a_machine_work_over_tls(tmp_path: Path, authority: trustme.CA) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(key)
    certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    tables = {"service": {"certificate": str(certificate), "key": str(key)}, "access": {}}
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with running_service(tmp_path / "data", **tables) as service:
        assert service.url.startswith("https://")
        token = (tmp_path / "data" / "secrets" / "operator.token").read_text()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=service.url, verify=trusting, headers=headers) as client:
            assert (await client.get("/api/workflows")).status_code == 200
        async with httpx2.AsyncClient(base_url=service.url, headers=headers) as client:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get("/api/workflows")


async def test_no_service_starts_that_lets_strangers_in(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in clear"):
        async with running_service(tmp_path, service={"listen": "0.0.0.0:0"}, access={}):
            pass


async def test_no_service_starts_whose_tokens_others_may_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "operator.token").write_text("ewms_x")
    with pytest.raises(InputError, match="is open to others"):
        async with running_service(tmp_path, access={}):
            pass


async def test_tokens_of_a_provider(tmp_path: Path) -> None:
    with listening_issuer() as issuer:
        access = {
            "issuer": issuer.url,
            "audience": AUDIENCE,
            "roles": {"user": ["groups=/users"], "operator": ["groups=/operators"]},
        }
        async with running_service(tmp_path, access=access) as service:
            codes = {}
            for name, token in {
                "user": issuer.token(iss=issuer.url),
                "operator": issuer.token(iss=issuer.url, groups=["/operators"]),
                "nobody": issuer.token(iss=issuer.url, groups=[]),
                "another's": issuer.token(),
                "late": issuer.token(iss=issuer.url, exp=1),
            }.items():
                async with service.client(token) as client:
                    codes[name] = (await client.get("/api/workflows")).status_code
            assert codes == {"user": 200, "operator": 200, "nobody": 403, "another's": 401, "late": 401}
        assert not (tmp_path / "secrets" / "operator.token").exists()


async def test_a_provider_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with listening_issuer() as issuer:
        pass
    access = {"issuer": issuer.url, "audience": AUDIENCE, "roles": {"user": ["groups=/users"]}}
    async with running_service(tmp_path, access=access) as service:
        async with service.client(issuer.token(iss=issuer.url)) as client:
            answer = await client.get("/api/workflows")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "does not answer; try again later" in answer.json()["error"]
        token = await service.state.access.minted.mint("ada", Role.USER)
        async with service.client(token) as client:
            assert (await client.get("/api/workflows")).status_code == 200
