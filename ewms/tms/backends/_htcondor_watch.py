"""Follows the event logs of all taskforces: one log each, so that one that is flooded or damaged concerns nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from ewms.tms.backend import Standing
from ewms.tms.backends._htcondor_course import Course
from ewms.tms.backends._htcondor_records import MAX_BYTES, read
from ewms.tms.folder import write_private

logger = logging.getLogger("ewms.tms.htcondor")

SUFFIX = ".tms.jel"
"""Of event logs; EWMS's."""
_STATE = ".state"
_INTERVAL = 0.2
_BYTES_PER_LOOK = 8 * MAX_BYTES


def log_of(events: Path, uuid: str) -> Path:
    """The event log of a taskforce."""
    return events / f"{uuid}{SUFFIX}"


class Watch:
    """What it learns is on disk before it is told: no event is counted twice, also across restarts.

    Parameters
    ----------
    events
        Folder of the logs. A log that is deleted there is forgotten.
    """

    def __init__(self, events: Path) -> None:
        self._events = events
        self._courses: dict[str, Course] = {}

    async def standings(self) -> AsyncGenerator[Standing, None]:
        """First how every taskforce stands whose end was not heard yet, then whatever changes."""
        last: dict[str, Standing] = {}
        while True:
            changed = await asyncio.to_thread(self._look)
            for uuid in changed:
                course = self._courses[uuid]
                standing = course.standing()
                await asyncio.to_thread(self._keep, course)
                if standing.site_losses or standing.site_successes or standing != last.get(uuid):
                    yield standing
                last[uuid] = msgspec.structs.replace(standing, site_losses={}, site_successes={})
                if course.ended_at is not None:
                    del last[uuid]
                    course.told = True
                    await asyncio.to_thread(self._keep, course)
            if not changed:
                await asyncio.sleep(_INTERVAL)

    def _look(self) -> list[str]:
        """Read what is new, not too much at once; the taskforces that it is about."""
        logs = {path.name.removesuffix(SUFFIX): path for path in self._events.glob(f"*{SUFFIX}")}
        for uuid in self._courses.keys() - logs.keys():
            del self._courses[uuid]
        changed, budget = [], _BYTES_PER_LOOK
        for uuid, path in logs.items():
            course, is_new = self._course(uuid)
            if course.told or budget <= 0:
                continue
            before = course.position.offset
            try:
                for record in read(path, course.position):
                    course.take(record)
            except OSError as error:
                logger.warning("event_log_unreadable log=%s error=%s", path, error.strerror)
                continue
            budget -= max(0, course.position.offset - before)
            if course.cluster_id and (is_new or course.position.offset != before):
                changed.append(uuid)
        return changed

    def _course(self, uuid: str) -> tuple[Course, bool]:
        if uuid in self._courses:
            return self._courses[uuid], False
        try:
            course = msgspec.json.decode(self._state(uuid).read_bytes(), type=Course)
        except FileNotFoundError:
            course = Course(taskforce_uuid=uuid)
        except msgspec.MsgspecError as error:
            logger.warning("event_state_lost taskforce=%s error=%s", uuid, error)
            course = Course(taskforce_uuid=uuid)
        self._courses[uuid] = course
        return course, True

    def _keep(self, course: Course) -> None:
        write_private(self._state(course.taskforce_uuid), msgspec.json.encode(course))

    def _state(self, uuid: str) -> Path:
        return self._events / f"{uuid}{SUFFIX}{_STATE}"
