"""What a Python consumer may take and return."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Result

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
BODIES = [0.25, 1.0, 2.5]


@pytest.mark.parametrize(
    ("consumer", "body", "value"),
    [
        ("plain:square", 7, 49),
        ("plain:echo", {"a": [1, None]}, {"a": [1, None]}),
        ("plain:echo", b"\x00\xff", b"\x00\xff"),
        ("plain:nothing", 1, None),
        ("plain:next_page", {"number": 1, "text": "a"}, {"number": 2, "text": "A"}),
        ("plain:norm", {"x": 1.5, "y": 2}, 3.5),
        ("plain:total", [1, 2, 3], 6.0),
        ("plain:total", numpy.arange(4), 6.0),
        ("plain:several", 3, [0, 1, 2]),
        ("plain:several", 0, []),
        ("counting:Adder", 1, 2),
        ("math:sqrt", 16, 4.0),
    ],
)
async def test_takes_and_returns(rig: Rig, python_task: Make, consumer: str, body: Any, value: Any) -> None:
    assert await rig.run(python_task(consumer), body) == [value]


async def test_event_and_headers(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("plain:is_event"), "body") == [["e0", "body", {"from": "test"}]]


async def test_array_goes_both_ways(rig: Rig, python_task: Make) -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    (value,) = await rig.run(python_task("plain:doubled"), array)
    numpy.testing.assert_array_equal(value, array * 2)


async def test_output_names_its_queue(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(1, 2)
    rig.start(python_task("plain:routed", output=("odd", "even")))
    outcomes = await rig.outcomes(2)
    results = [outcomes[event_id] for event_id in ids]
    assert [r.outputs[0].queue for r in results if isinstance(r, Result)] == ["odd", "even"]


@pytest.mark.parametrize(
    ("consumer", "body", "reason"),
    [
        ("plain:square", "seven", "the body is no valid int: Input should be a valid integer"),
        ("plain:next_page", {"text": "a"}, "the body is no valid Page: number: Field required"),
        ("plain:routed_wrongly", 1, "queue 'typo' is no output of this task; outputs are: out"),
        ("plain:unencodable", 1, "a value of type object does not fit codec 'json'"),
        ("plain:big", 2_000_000, "the output has 20000"),
        ("plain:raises", 1, "ValueError: no luck"),
    ],
)
async def test_failure_says_why(rig: Rig, python_task: Make, consumer: str, body: Any, reason: str) -> None:
    (failure,) = await rig.run(python_task(consumer), body)
    assert isinstance(failure, Failure)
    assert failure.reason.startswith(reason)


async def test_failure_detail(rig: Rig, python_task: Make) -> None:
    (failure,) = await rig.run(python_task("plain:raises"), 1)
    detail = failure.detail
    assert detail["type"] == "ValueError"
    assert detail["stdout"] == "on stdout\n"
    assert detail["stderr"] == "on stderr\n"
    assert "plain.py" in detail["traceback"]
    assert "ewms/pilot" not in detail["traceback"]
    assert detail["seconds"] >= 0


async def test_failures_leave_the_rest_of_the_bundle_alone(rig: Rig, python_task: Make) -> None:
    values = await rig.run(python_task("plain:raises_on_odd"), *range(100))
    assert [value for value in values if not isinstance(value, Failure)] == list(range(0, 100, 2))
    assert [value.reason for value in values if isinstance(value, Failure)] == [
        f"ValueError: {number} is odd" for number in range(1, 100, 2)
    ]


async def test_class_is_built_once_and_process_reused(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(*range(5), singly=True)
    rig.start(python_task("counting:Counter"))
    calls = await rig.values(ids)
    assert len({pid for pid, _, _ in calls}) == 1
    assert [(built, number) for _, built, number in calls] == [(1, number) for number in range(1, 6)]
