"""Tasks that cannot be run here at all: the events go back, and the pilot ends with a reason."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
CONSUMERS = Path(__file__).parent / "consumers"


@pytest.mark.parametrize(
    ("consumer", "reason"),
    [
        ("not_there:consume", "consumer module 'not_there' is not found by this pilot; put it beside the workflow file"),
        ("plain:not_there", "consumer 'plain:not_there': plain has no 'not_there'; define it at the top level"),
        ("not_there.py:consume", "consumer file 'not_there.py' is not found by this pilot; looked for "),
        (
            "broken_import:consume",
            "importing 'broken_import' raised ModuleNotFoundError: No module named 'there_is_no_such_module' "
            "(broken_import.py line 7)",
        ),
        ("crashing_import:consume", "loading consumer 'crashing_import:consume' ended the worker process (exit code 9: "),
        (
            "unusable:BadConstructor",
            "constructing consumer 'unusable:BadConstructor' raised OSError: the model file is gone (unusable.py line 15)",
        ),
        ("unusable:number", "consumer 'unusable:number' is not callable"),
        ("unusable:asynchronous", "consumer 'unusable:asynchronous' is asynchronous"),
        ("unusable:no_argument", "consumer 'unusable:no_argument' must take one argument"),
        ("unusable:two_arguments", "consumer 'unusable:two_arguments' must take one argument"),
        ("unusable:unresolvable", "an annotation of consumer 'unusable:unresolvable' cannot be resolved: name 'Decimal'"),
    ],
)
async def test_unusable_consumer(
    rig: Rig, python_task: Make, caplog: pytest.LogCaptureFixture, consumer: str, reason: str
) -> None:
    ids = await rig.send(1, 2)
    with caplog.at_level(logging.INFO):
        pilot = rig.start(python_task(consumer))
        outcomes = await rig.outcomes(2)
        assert await pilot == 4
    for event_id in ids:
        outcome = outcomes[event_id]
        assert isinstance(outcome, Failure)
        assert outcome.kind is Kind.RETURNED
        assert f"task 't': {reason}" in outcome.reason or outcome.reason.startswith(reason)
    assert rig.heartbeats[-1].state == "ended"
    assert rig.heartbeats[-1].reason.startswith(f"task 't': {reason}")
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "pilot_ended" in line
    assert reason in line
    assert "\n" not in line
    await rig.settled()


async def test_unknown_task(rig: Rig, python_task: Make) -> None:
    await rig.send(1, task="other")
    pilot = rig.start(python_task("plain:echo"))
    (outcome,) = (await rig.outcomes(1)).values()
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.RETURNED
    assert await pilot == 4


async def test_missing_program(rig: Rig, command_task: Make) -> None:
    await rig.send("text")
    pilot = rig.start(command_task("no-such-program", "{{INFILE}}"))
    (outcome,) = (await rig.outcomes(1)).values()
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.RETURNED
    assert "command 'no-such-program' of task 't' cannot be started" in outcome.reason
    assert await pilot == 4


async def test_program_that_is_not_executable(rig: Rig, command_task: Make, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("#!/bin/sh\n")
    await rig.send("text")
    pilot = rig.start(command_task(str(tmp_path / "program")))
    (outcome,) = (await rig.outcomes(1)).values()
    assert "Permission denied" in getattr(outcome, "reason", "")
    assert await pilot == 4


async def test_program_that_vanishes_later_is_a_failure(rig: Rig, command_task: Make, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nrm {program}\n")
    program.chmod(0o700)
    first, second = await rig.run(command_task(str(program)), "a", "b")
    assert first is None
    assert second.kind is Kind.FAILED
    assert "No such file" in second.reason
    assert await rig.end() == 0


async def test_other_protocol(rig: Rig, python_task: Make) -> None:
    await rig.send(1, protocol=99)
    pilot = rig.start(python_task("plain:echo"))
    (outcome,) = (await rig.outcomes(1)).values()
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.RETURNED
    assert await pilot == 6
    assert "protocol 99" in rig.heartbeats[-1].reason


async def test_unreadable_message(rig: Rig, python_task: Make) -> None:
    await rig.broker.publish("work", b"\xc1 no msgpack", "m")
    assert await rig.start(python_task("plain:echo")) == 6
    assert (await rig.broker.depth("work")).leased + (await rig.broker.depth("work")).ready == 1


async def test_function_of_a_script(rig: Rig, python_task: Make) -> None:
    task = python_task(f"{CONSUMERS / 'script.py'}:module_name")
    assert await rig.run(task, 1, search_path=()) == ["script"]


async def test_script_found_on_the_search_path(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("script.py:module_name"), 1) == ["script"]
