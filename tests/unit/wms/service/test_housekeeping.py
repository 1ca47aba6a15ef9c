"""A repeated submission is known as one for a week; after that its key is forgotten."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ewms.core.service.new_workflow import NewWorkflow
from ewms.stores.collections import REPEATS
from ewms.wms.service.housekeeping import REMEMBERED_SECONDS, Housekeeping
from ewms.wms.service.repeats import Repeat, digest_of, first, insertion
from tests.support.service import running_service

REQUEST = NewWorkflow(spec={"name": "x"})


async def test_old_keys_are_forgotten_and_young_ones_are_not(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        store = service.state.store
        now = service.state.clock()
        for number in range(3):
            repeat = Repeat(owner="ada", digest=digest_of(REQUEST), workflow_id=f"WF-{number}", timestamp=now + number)
            await store.write(insertion(f"key-{number}", repeat))
        later = dataclasses.replace(service.state, clock=lambda: now + REMEMBERED_SECONDS + 1.5)
        assert await Housekeeping(later).forget_repeats() == 2
        assert await store.count(REPEATS) == 1
        assert await first(store, "ada", "key-2", REQUEST) == "WF-2"
        assert await first(store, "bob", "key-2", REQUEST) is None, "keys are the owner's"
