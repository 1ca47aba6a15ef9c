"""What a TMS tells the service beside confirmations: how workers fare, how sites fare, how the cluster stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import BaseModel

from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Plan
from ewms.tms.backend import Batch, Standing
from ewms.tms.report import Reporter
from ewms.tms.service import ServiceUnavailable
from ewms.tms.standings import Standings
from ewms.tms.wanted import Wanted
from tests.property.tms_world import ModelBackend, ModelService, World
from tests.support.taskforces import order


class Listener(ModelService):
    """Hears what is told; the first words are lost if it is told so."""

    def __init__(self, lost: int = 0) -> None:
        super().__init__(World())
        self.lost = lost
        self.standings: list[Standing] = []
        self.reports: list[ClusterReport] = []
        self.heard = asyncio.Event()

    async def tell_standings(self, standings: Sequence[Standing]) -> None:
        self.lost -= 1
        if self.lost >= 0:
            raise ServiceUnavailable
        self.standings += standings
        self.heard.set()

    async def report(self, report: ClusterReport) -> None:
        self.reports.append(report)
        self.heard.set()


class Talker(ModelBackend):
    """Tells these standings, then nothing more."""

    Settings = BaseModel

    def __init__(self, *standings: Standing) -> None:
        super().__init__(World())
        self.told = standings

    async def standings(self) -> AsyncIterator[Standing]:
        for standing in self.told:
            yield standing
        await asyncio.Event().wait()


def _ignore() -> None:
    """Nothing is to be done at an end."""


def standing(uuid: str, running: int, ended_at: float | None = None) -> Standing:
    statuses = {"RUNNING": {"Started": running}}
    return Standing(taskforce_uuid=uuid, compound_statuses=statuses, top_task_errors={}, ended_at=ended_at)


@pytest.mark.parametrize("lost", [0, 2])
async def test_the_last_word_on_each_taskforce_arrives(lost: int) -> None:
    service = Listener(lost)
    ends: list[None] = []
    standings = Standings(service, on_end=lambda: ends.append(None))
    talker = Talker(standing("TF-1", 1), standing("TF-2", 5), standing("TF-1", 2), standing("TF-3", 0, ended_at=12.0))
    forwarding = asyncio.create_task(standings.forward(talker))
    async with asyncio.timeout(10):
        await service.heard.wait()
    forwarding.cancel()
    await asyncio.gather(forwarding, return_exceptions=True)
    assert {one.taskforce_uuid: one.compound_statuses["RUNNING"]["Started"] for one in service.standings} == {
        "TF-1": 2,
        "TF-2": 5,
        "TF-3": 0,
    }
    assert len(ends) == 1
    assert standings.ended == {"TF-3": 12.0}
    standings.keep({"TF-1"})
    assert standings.ended == {}


async def reported(reporter: Reporter, service: Listener) -> ClusterReport:
    """The first report of a reporter that is started now."""
    telling = asyncio.create_task(reporter.run())
    async with asyncio.timeout(10):
        await service.heard.wait()
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    return service.reports[0]


async def test_the_cluster_is_reported_as_it_stands() -> None:
    service = Listener()
    reporter = Reporter("here", service, Standings(service, on_end=_ignore), Wanted())
    reporter.found([Batch("TF-1", 1, 3), Batch("TF-2", 2, 4)])
    reporter.lost("no schedd answers")
    report = await reported(reporter, service)
    assert report == ClusterReport(ready=False, reason="no schedd answers", batches=2, workers=7)


async def test_a_bad_site_is_reported_as_excluded() -> None:
    service = Listener()
    standings = Standings(service, on_end=_ignore)
    for site, losses, successes in (("Hades", 30, 0), ("Athens", 0, 30)):
        standings.take(
            Standing(
                taskforce_uuid="TF-1",
                compound_statuses={},
                top_task_errors={},
                site_losses={site: losses},
                site_successes={site: successes},
            )
        )
    standings.take(Standing(taskforce_uuid="TF-1", compound_statuses={}, top_task_errors={}, site_losses={"Hades": 30}))
    report = await reported(Reporter("here", service, standings, Wanted()), service)
    assert report.sites["Hades"].excluded_for > 0
    assert report.sites["Athens"].excluded_for == 0


async def test_an_exclusion_that_a_tms_before_has_made_is_not_ended() -> None:
    service = Listener()
    standings, wanted = Standings(service, on_end=_ignore), Wanted()
    excluding = order("TF-1").model_copy(update={"excluded_sites": ("Hades",)})
    wanted.learn(Plan(revision=1, orders=(excluding,)), wanted.ask())
    standings.take(
        Standing(
            taskforce_uuid="TF-1",
            compound_statuses={},
            top_task_errors={},
            site_successes={"Hades": 1, "Athens": 1},
        )
    )
    report = await reported(Reporter("here", service, standings, wanted), service)
    assert report.sites.keys() == {"Athens"}
