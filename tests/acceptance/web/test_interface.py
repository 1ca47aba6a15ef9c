"""`/docs`: the REST interface for people, with nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.service import running_service

_ELSEWHERE = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")


async def test_each_route_is_shown_and_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        document = (await client.get("/openapi.json")).json()
        shown = set(re.findall(r"<code><b>([A-Z]+)</b> ([^<]+)</code>", page.text))
        documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
        assert documented
        assert documented <= shown
        assert not _ELSEWHERE.search(page.text)
        assert (await client.get("/redoc")).status_code == 404
