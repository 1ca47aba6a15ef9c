"""A pilot as one file, on a slot that has nothing but Python."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ewms.tms.backends.htcondor import BundlePilot, HtcondorBackend, HtcondorSettings
from ewms.tms.folder import ClusterFolder
from tests.integration.htcondor.conftest import Work, clear, until
from tests.support.condor import CondorPool
from tests.support.running import EWMS


async def test_a_bundle_works_on_a_slot(backend: HtcondorBackend, condor_pool: CondorPool, tmp_path: Path) -> None:
    work = Work(tmp_path, events=10)
    argv = (EWMS, "pilot", "bundle", "-o", str(tmp_path / "ewms-pilot"), "--code", str(work.code.parent))
    made = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    said, _ = await made.communicate()
    assert made.returncode == 0
    assert b"runs only with CPython" in said
    settings = HtcondorSettings(
        config=str(condor_pool.config), pilot=BundlePilot(kind="bundle", path=f"{tmp_path}/ewms-pilot")
    )
    async with (
        HtcondorBackend(settings, ClusterFolder(tmp_path / "bundle"), f"bundle {tmp_path}") as bundled,
        work.driven(bundled),
    ):
        order = work.order(workers=1, return_output=True)
        pilot = order.taskforce.pilot.model_copy(update={"files": {}})
        order = order.model_copy(update={"taskforce": order.taskforce.model_copy(update={"pilot": pilot})})
        await bundled.submit(order, work.config, {})
        await work.complete()

        async def printed_something() -> list[Path]:
            return list((tmp_path / "bundle").rglob("*.err"))

        (printed,) = await until(printed_something, "what the pilot printed, which comes back when it has ended by itself")
        await clear(bundled)
    assert work.accepted == 10
    assert str(tmp_path) not in printed.read_text()
