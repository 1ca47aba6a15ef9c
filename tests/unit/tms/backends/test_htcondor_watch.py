"""Following event logs, across restarts."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from pathlib import Path

from ewms.tms.backend import Standing
from ewms.tms.backends._htcondor_course import Kind
from ewms.tms.backends._htcondor_watch import Watch, log_of
from tests.unit.tms.backends.condor_log import event


def write(events: Path, uuid: str, *texts: bytes) -> None:
    with log_of(events, uuid).open("ab") as file:
        file.write(b"".join(texts))


async def hear(watch: Watch, within: float = 0.8) -> list[Standing]:
    """What is told until nothing comes for a while."""
    heard = []
    async with aclosing(watch.standings()) as standings:
        try:
            while True:
                heard.append(await asyncio.wait_for(anext(standings), within))
        except TimeoutError:
            return heard


async def test_nothing_is_counted_twice_after_a_restart(tmp_path: Path) -> None:
    losses: Counter[str] = Counter()
    for _ in range(3):
        write(
            tmp_path,
            "TF-0",
            event(Kind.SUBMIT, 0),
            event(Kind.EXECUTE, 0, GLIDEIN_Site="A"),
            event(Kind.HELD, 0, HoldReasonCode=6),
        )
        (standing,) = await hear(Watch(tmp_path))
        losses.update(standing.site_losses)
    assert losses == {"A": 3}
    (standing,) = await hear(Watch(tmp_path))
    assert standing.compound_statuses == {"HELD: the pilot could not be started": {"null": 1}}
    assert standing.site_losses == {}


async def test_the_end_is_told_until_it_was_heard(tmp_path: Path) -> None:
    write(tmp_path, "TF-0", event(Kind.SUBMIT, 0), event(Kind.ABORTED, 0), event(Kind.CLUSTER_REMOVE))
    standings = Watch(tmp_path).standings()
    first = await anext(standings)
    # Its listener dies before it can do anything about it.
    del standings
    (second,) = await hear(Watch(tmp_path))
    assert first.ended_at is not None
    assert second == first
    assert await hear(Watch(tmp_path)) == []


async def test_one_bad_log_is_nobody_elses_trouble(tmp_path: Path) -> None:
    log_of(tmp_path, "TF-0").mkdir()
    write(tmp_path, "TF-1", b"rubbish\n</c>\n", event(Kind.SUBMIT, 0))
    log_of(tmp_path, "TF-1").with_name("TF-1.tms.jel.state").write_text("{broken")
    write(tmp_path, "TF-2", event(Kind.SUBMIT, 0), event(Kind.SUBMIT, 1))
    heard = {standing.taskforce_uuid: standing.compound_statuses for standing in await hear(Watch(tmp_path))}
    assert heard == {"TF-1": {"IDLE": {"null": 1}}, "TF-2": {"IDLE": {"null": 2}}}


async def test_what_changes_is_told_once(tmp_path: Path) -> None:
    texts = [event(Kind.SUBMIT, 0), event(28, 0), event(6, 0), event(Kind.EXECUTE, 0), event(Kind.SUSPENDED, 0)]

    async def grow() -> None:
        for text in texts:
            write(tmp_path, "TF-0", text)
            await asyncio.sleep(0.5)
        log_of(tmp_path, "TF-0").unlink()

    heard, _ = await asyncio.gather(hear(Watch(tmp_path), within=2.0), grow())
    assert [list(standing.compound_statuses) for standing in heard] == [["IDLE"], ["RUNNING"], ["SUSPENDED"]]
