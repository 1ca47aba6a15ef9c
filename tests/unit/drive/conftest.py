"""A store of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.stores.store import Store
from ewms.stores.urls import store_for


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open and empty."""
    async with store_for(tmp_path / "store.sqlite") as store:
        yield store
