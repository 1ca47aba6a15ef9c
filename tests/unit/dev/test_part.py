"""One process of the tree."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ewms.dev import part as part_module
from ewms.dev.part import Part, PartFailed


async def test_one_that_never_runs_is_given_up_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_module, "_PAUSES", (0.0,))
    monkeypatch.setattr(part_module, "_MAX_QUICK", 2)
    part = Part("status", ["--lost"], tmp_path / "log")
    with pytest.raises(PartFailed, match=r"ewms status does not run: .*No such option.*log") as raised:
        await part.run()
    assert "\n" not in str(raised.value)
    assert len((tmp_path / "log").read_text().strip().splitlines()) == 2, "each try adds to the log"
    assert part.pid is None


async def test_one_that_is_stopped_is_not_started_again(tmp_path: Path) -> None:
    part = Part("status", ["--help"], tmp_path / "log")
    await part.stop(1.0)
    running = asyncio.create_task(part.run())
    await asyncio.wait_for(running, 5.0)
    assert not (tmp_path / "log").exists()
