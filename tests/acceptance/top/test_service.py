"""`ewms top` on a service that really listens: what it shows, and what its keys do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from textual.pilot import Pilot

from ewms.client.connect import connection_to
from ewms.core.service.workflow import TaskProgress
from ewms.stores.collections import WORKFLOWS
from ewms.top.app import Top
from ewms.top.service import ServiceSource
from tests.support.driven import REASON, accept, change, drive
from tests.support.screens import seen, until_seen
from tests.support.service import RunningService, running_service
from tests.support.submissions import SPEC, submitted

pytestmark = pytest.mark.timeout(300)
"""Rendering screens takes its time on a machine that is loaded."""


class Shown(NamedTuple):
    """A service and `ewms top` on it."""

    service: RunningService
    http: httpx2.AsyncClient
    pilot: Pilot[None]

    async def document(self, workflow_id: str) -> dict[str, Any]:
        stored = await self.service.state.store.get(WORKFLOWS, workflow_id)
        assert stored is not None
        return dict(stored.body)


@contextlib.asynccontextmanager
async def shown(folder: Path, size: tuple[int, int] = (120, 30), **tables: Any) -> AsyncIterator[Shown]:
    async with running_service(folder, **tables) as service, service.client() as http:
        app = Top(ServiceSource(connection_to(service.url, patience=0.0)))
        async with app.run_test(size=size, notifications=True) as pilot:
            await until_seen(pilot, service.url, "live")
            yield Shown(service, http, pilot)


async def named(http: httpx2.AsyncClient, name: str) -> str:
    return await submitted(http, spec={**SPEC, "name": name})


async def test_workflows_appear_and_move_by_themselves(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        await until_seen(pilot, "no workflows")
        workflow_id = await named(http, "squares")
        await until_seen(pilot, "squares", "pending", workflow_id, "1 of 1 workflows")
        await drive(service.state, workflow_id)
        await until_seen(pilot, "running", "2/3 66%")
        await accept(service.state, workflow_id, 3, 3, 6)
        await until_seen(pilot, "3/3 100%")
        await change(service.state, workflow_id, {"state": "failed", "reason": "the disk is full"})
        await until_seen(pilot, "failed", "the disk is full")


async def test_one_workflow_in_all_its_sections(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        await until_seen(pilot, "squares", "2/3")
        await pilot.press("enter")
        await until_seen(pilot, f"squares  {workflow_id}", "1 Tasks", "double", "2/3 66%", "numbers", "doubled")
        await pilot.press("2")
        await until_seen(pilot, "CONSUMERS", "numbers", "task")
        await pilot.press("3")
        await until_seen(pilot, "TASKFORCE", gone="CONSUMERS")
        await pilot.press("4")
        await until_seen(pilot, "1 causes", "double", "hosts: slot1 2", "traceback:", "line 1", "warning 2")
        await pilot.press("5")
        await until_seen(pilot, "1 of 1 dead letters", REASON, "body: two", "attempt 2 failed on slot1")
        await pilot.press("6")
        await until_seen(pilot, "SINCE", "pending")
        await pilot.press("escape")
        await until_seen(pilot, "1 of 1 workflows")


async def test_keys_do_what_they_say_once_confirmed(tmp_path: Path) -> None:
    async with shown(tmp_path) as running:
        service, http, pilot = running
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        await until_seen(pilot, "running")
        await pilot.press("p")
        await until_seen(pilot, f"Have squares ({workflow_id}) send nothing more")
        await pilot.press("n")
        await until_seen(pilot, "workflows", gone="send nothing more")
        assert (await running.document(workflow_id))["wish"] == "run"
        for key, wish, told in (
            ("p", "pause", "is being paused"),
            ("r", "run", "goes on"),
            ("c", "cancel", "is being canc"),
        ):
            await pilot.press(key)
            await until_seen(pilot, "Yes (y)")
            await pilot.press("y")
            await until_seen(pilot, told, gone="Yes (y)")
            assert (await running.document(workflow_id))["wish"] == wish


async def test_a_question_without_an_answer_keeps_nobody(tmp_path: Path) -> None:
    async with shown(tmp_path) as (_, http, pilot):
        await named(http, "squares")
        await until_seen(pilot, "squares")
        await pilot.press("c")
        await until_seen(pilot, "Give squares", "Yes (y)")
        await pilot.press("ctrl+q")


async def test_dead_letters_are_tried_again(tmp_path: Path) -> None:
    async with shown(tmp_path) as running:
        service, http, pilot = running
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        await until_seen(pilot, "running")
        await pilot.press("enter")
        await until_seen(pilot, "1 Tasks", workflow_id)
        await pilot.press("t")
        await until_seen(pilot, "choose a dead letter first")
        await pilot.press("5")
        await until_seen(pilot, "1 of 1 dead letters")
        await pilot.press("t")
        await until_seen(pilot, "dead letter e2 of double")
        await pilot.press("y")
        await until_seen(pilot, "1 dead letters are being tried again")
        await pilot.press("R")
        await until_seen(pilot, "Try all")
        await pilot.press("y")
        await until_seen(pilot, "dead letters", gone="Yes (y)")
        replays = (await running.document(workflow_id))["replay"]
        assert [(one["task"], one["event_ids"]) for one in replays] == [("double", ["e2"]), (None, [])]


async def test_a_refusal_is_told_in_words(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        await change(service.state, workflow_id, {"state": "complete"})
        await until_seen(pilot, "complete")
        await pilot.press("c")
        await until_seen(pilot, "Yes (y)")
        await pilot.press("y")
        await until_seen(pilot, f"workflow {workflow_id} is complete already")
        await until_seen(pilot, "live")


async def test_search_and_filter(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        squares, cubes = await named(http, "squares"), await named(http, "cubes")
        await until_seen(pilot, squares, cubes, "2 of 2")
        await pilot.press("slash", *"CUB", "enter")
        await until_seen(pilot, "1 of 1", "only with 'CUB'", cubes, gone=squares)
        await pilot.press("slash")
        await pilot.press("escape")
        await until_seen(pilot, squares, cubes, "2 of 2")
        await drive(service.state, squares)
        await change(service.state, squares, {"state": "failed", "reason": "no"})
        await pilot.press("f")
        await until_seen(pilot, "only unfinished", cubes, gone=squares)
        await pilot.press("f")
        await until_seen(pilot, "only failed", squares, gone=cubes)
        await change(service.state, squares, {"state": "running", "reason": ""})
        await until_seen(pilot, "no workflows", gone=squares)


async def test_the_system(tmp_path: Path) -> None:
    async with shown(tmp_path) as (_, _, pilot):
        await pilot.press("s")
        await until_seen(
            pilot, "NOT ready", "store", "no driver host lives", "Clusters", "here", "never reported", "no site"
        )
        await pilot.press("c")
        assert "Yes (y)" not in seen(pilot.app)
        await pilot.press("q")
        await until_seen(pilot, "no workflows")


async def test_a_lost_service_is_told_of_and_found_again(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_service(tmp_path))
        async with service.client() as http:
            workflow_id = await named(http, "squares")
        listen = service.url.removeprefix("http://")
        app = Top(ServiceSource(connection_to(service.url, patience=0.0)))
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            await until_seen(pilot, "live", workflow_id)
            await stack.aclose()
            await until_seen(pilot, "NO ANSWER for", "asking again", workflow_id, gone="live")
            async with running_service(tmp_path, service={"listen": listen}) as again:
                await until_seen(pilot, "live", workflow_id, gone="NO ANSWER")
                await drive(again.state, workflow_id)
                await until_seen(pilot, "running")


async def test_a_small_terminal_without_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(tmp_path, size=(40, 12)) as (service, http, pilot):
        first, second = await named(http, "a-name-that-is-far-too-long-for-this"), await named(http, "other")
        await drive(service.state, first)
        await until_seen(pilot, "a-name", "running", "2/3 66%", "> ")
        await pilot.press("down")
        screen = await until_seen(pilot, "DEAD", "    other", ">  a-name")
        assert second not in screen, "ids have no room"
        await pilot.press("enter")
        await until_seen(pilot, first, "double")
        await pilot.resize_terminal(120, 30)
        await until_seen(pilot, "READS")


async def test_texts_of_others_are_only_texts(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        await change(service.state, workflow_id, {"state": "failed", "reason": "[bold red]\x1b[2J[/] {no} \x07"})
        await until_seen(pilot, "[bold red]�[2J[/] {no} �")
        await pilot.press("enter")
        await until_seen(pilot, "failed: [bold red]�[2J[/] {no} �")


async def test_time_to_go_is_of_what_is_known(tmp_path: Path) -> None:
    async with shown(tmp_path) as (service, http, pilot):
        workflow_id = await named(http, "squares")
        await drive(service.state, workflow_id)
        for terminal in (1000, 2000):
            await pilot.pause(1.1)
            fields = {"tasks": {"double": TaskProgress(planned=1_000_000, terminal=terminal).model_dump()}}
            await change(service.state, workflow_id, fields)
        await until_seen(pilot, "2,000/1,000,000 0%", "/s", "m ")
