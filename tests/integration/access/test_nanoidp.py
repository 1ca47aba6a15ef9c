"""Tokens of a provider that is not ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.nanoidp import AUDIENCE, nanoidp, token_of, why_not
from tests.support.service import running_service


async def test_people_of_a_provider_have_its_roles(tmp_path: Path) -> None:
    if (reason := why_not()) is not None:
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    with nanoidp(tmp_path / "provider") as url:
        access = {
            "issuer": url,
            "audience": AUDIENCE,
            "roles": {"user": ["groups=astronomers"], "operator": ["roles=ADMIN"]},
        }
        async with running_service(tmp_path / "data", access=access) as service:
            codes = {}
            for user in ("ada", "grace", "eve"):
                async with service.client(token_of(url, user)) as client:
                    own = await client.get("/api/workflows")
                    operating = await client.delete("/api/sites/here/far/exclusion")
                    codes[user] = (own.status_code, operating.status_code)
            assert codes["ada"] == (200, 403)
            assert codes["grace"][0] == 200
            assert codes["grace"][1] not in {401, 403}
            assert codes["eve"] == (403, 403)
