"""Messages of other programs as events and outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core import codecs
from ewms.core.ids import check_event_id
from ewms.core.plain import foreign_event_id, plain_body, plain_payload
from ewms.core.spec import TaskSpec

PYTHON = TaskSpec(name="work", python="work:work", input="numbers")
COMMAND = TaskSpec(name="work", command=("cat",), input="numbers")
JSON_COMMAND = TaskSpec(name="work", command=("cat",), input="numbers", infile_suffix=".json")


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (b"\xff\0", b"\xff\0"),
        ("text", b"text"),
        ({"a": [1, None]}, b'{"a":[1,null]}'),
        (math.inf, b"Infinity"),
        (np.arange(3), b"[0,1,2]"),
        (None, b"null"),
    ],
)
def test_outputs_as_messages(value: Any, body: bytes) -> None:
    assert plain_body(value) == body


@pytest.mark.parametrize(
    ("task", "body", "codec"),
    [
        (PYTHON, b'{"a": 1}', "json"),
        (PYTHON, b"no json", "bytes"),
        (PYTHON, b"", "bytes"),
        (COMMAND, b'{"a": 1}', "bytes"),
        (JSON_COMMAND, b'{"a": 1}', "json"),
    ],
)
def test_messages_as_bodies(task: TaskSpec, body: bytes, codec: str) -> None:
    assert plain_payload(task, body) == (codec, body)


@given(body=st.binary() | st.text().map(str.encode))
def test_any_message_can_be_a_body_of_a_python_task(body: bytes) -> None:
    codecs.decode(*plain_payload(PYTHON, body))


@given(name=st.text(min_size=1))
def test_any_name_gives_one_id_that_is_allowed(name: str) -> None:
    assert check_event_id(foreign_event_id(name)) == foreign_event_id(name)


def test_a_name_that_is_allowed_is_the_id() -> None:
    assert foreign_event_id("event-1.0:2/3") == "event-1.0:2/3"
