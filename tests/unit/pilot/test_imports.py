"""Pilots and workers start by the thousand: they import only what they need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ewms.pilot.worker.main", {"asyncio", "pydantic", "numpy", "nats", "fsspec", "ewms.core.spec", "ewms.blobs"}),
        ("ewms.pilot.__main__", {"numpy", "nats", "fsspec", "click", "rich", "sqlite3", "ewms.wms", "ewms.tms"}),
    ],
)
def test_imports_little(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert unwanted.isdisjoint(said.split())
