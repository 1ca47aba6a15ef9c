"""What the annotation of a consumer's parameter asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy
import pydantic
import pytest

import ewms
from ewms.core import codecs
from ewms.core.errors import ConsumerError, PayloadError
from ewms.core.wire import WorkEvent
from ewms.pilot.worker.arguments import element_reader_for, reader_for

Array = numpy.ndarray[Any, Any]


class Model(pydantic.BaseModel):
    x: int


class Struct(msgspec.Struct):
    x: int


@dataclass
class Data:
    x: int


def event(body: Any, default: str = "json") -> WorkEvent:
    return WorkEvent("e", *codecs.encode(body, default))


def annotated(annotation: Any) -> Callable[[Any], Any]:
    def consumer(body: Any) -> Any:
        return body

    consumer.__annotations__["body"] = annotation
    return consumer


@pytest.mark.parametrize(
    ("annotation", "body", "value"),
    [
        (Any, {"x": 1}, {"x": 1}),
        (object, [1], [1]),
        (int, 3, 3),
        (float, 3, 3.0),
        (str, "a", "a"),
        (bytes, b"\xff", b"\xff"),
        (dict, {"x": 1}, {"x": 1}),
        (list[int], ["1", 2], [1, 2]),
        (int | None, None, None),
        (Annotated[int, pydantic.Field(ge=0)], 1, 1),
        (Model, {"x": 1}, Model(x=1)),
        (Struct, {"x": 1}, Struct(1)),
        (Data, {"x": 1}, Data(1)),
        (ewms.Event, 1, ewms.Event(id="e", body=1)),
    ],
)
@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_value(annotation: Any, body: Any, value: Any, codec: str) -> None:
    read = reader_for(annotated(annotation), "c")(event(body, codec))
    assert read == value
    assert type(read) is type(value)


def test_array_out_of_a_list() -> None:
    array = reader_for(annotated(Array), "c")(event([1, 2]))
    assert isinstance(array, numpy.ndarray)
    assert array.tolist() == [1, 2]


def test_nan_in_a_model() -> None:
    class Reading(pydantic.BaseModel):
        value: float

    read = reader_for(annotated(Reading), "c")(event({"value": float("nan")}))
    assert numpy.isnan(read.value)


@pytest.mark.parametrize(
    ("annotation", "body", "problem"),
    [
        (int, "a", "the body is no valid int: Input should be a valid integer"),
        (Model, {"x": "a"}, "the body is no valid Model: x: Input should be a valid integer"),
        (Struct, {"y": 1}, "the body is no Struct: Object missing required field `x`"),
        (Array, [[1], [1, 2]], "the body is no array"),
    ],
)
def test_body_that_does_not_fit(annotation: Any, body: Any, problem: str) -> None:
    with pytest.raises(PayloadError, match=problem):
        reader_for(annotated(annotation), "c")(event(body))


def test_blob_that_is_garbage() -> None:
    with pytest.raises(PayloadError):
        reader_for(annotated(int), "c")(WorkEvent("e", "@json", b"\xc1"))


@pytest.mark.parametrize("annotation", [list[Model], Sequence[Model], tuple[Model, ...]])
def test_elements(annotation: Any) -> None:
    assert element_reader_for(annotated(annotation), "c")(event({"x": 1})) == Model(x=1)


@pytest.mark.parametrize("annotation", [Any, list, Sequence])
def test_plain_elements(annotation: Any) -> None:
    assert element_reader_for(annotated(annotation), "c")(event({"x": 1})) == {"x": 1}


def test_vectorised_parameter_that_is_no_list() -> None:
    with pytest.raises(ConsumerError, match=r"annotate its parameter as list\[...\]"):
        element_reader_for(annotated(Model), "c")


def test_annotation_that_nothing_fits() -> None:
    class Opaque:
        pass

    with pytest.raises(ConsumerError, match="no body can be made a"):
        reader_for(annotated(Opaque), "c")


@pytest.mark.parametrize(
    "consumer",
    [lambda: None, lambda first, second: None, lambda first, *, key: None, lambda *, key: None],
)
def test_wrong_number_of_arguments(consumer: Callable[..., None]) -> None:
    with pytest.raises(ConsumerError, match="must take one argument"):
        reader_for(consumer, "c")


@pytest.mark.parametrize("consumer", [lambda body, extra=1: None, lambda *bodies: None, lambda body, **rest: None, print])
def test_further_arguments_that_are_optional(consumer: Callable[..., None]) -> None:
    assert reader_for(consumer, "c")(event(1)) == 1
