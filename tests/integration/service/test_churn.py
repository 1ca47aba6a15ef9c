"""Workflows that come and go for an hour: nothing grows with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.churn import ENDED, PARTS, Churn
from tests.support.dev_tree import dev_tree

SECONDS = float(os.environ.get("EWMS_SOAK_SECONDS", "3600"))
GROWTH = {"nats-server": 1.0}
"""Of what is not ours: it keeps what was revoked for two weeks."""
FLAT = 0.1
"""From the second quarter of the time to the last: caches are warm by then."""


@pytest.mark.soak
@pytest.mark.timeout(2 * SECONDS + 600)
async def test_memory_is_flat_over_an_hour(tmp_path: Path) -> None:
    with dev_tree(tmp_path / "data") as tree:
        churn = Churn(tree, pause=0.5)
        await churn.run(SECONDS)
    assert set(churn.ended) <= ENDED
    grown = {part: round(churn.growth(part), 3) for part in PARTS}
    assert all(growth < GROWTH.get(part, FLAT) for part, growth in grown.items()), grown
    first, last = churn.readings[len(churn.readings) // 4], churn.readings[-1]
    for part in PARTS:
        assert last.files[part] <= first.files[part] + 50, part
        assert last.threads[part] <= first.threads[part] + 50, part
