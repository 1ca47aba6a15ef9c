"""A site for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.driving import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Store, broker and files of a service; hosts and pilots that a test starts there end with it."""
    async with open_site(tmp_path) as site:
        yield site
