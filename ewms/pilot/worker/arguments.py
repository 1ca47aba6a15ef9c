"""From an event on the wire to the argument that a consumer asks for by its annotation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec
import pydantic_core

from ewms.core import codecs
from ewms.core.codecs import REFERENCE_MARK, Payload
from ewms.core.errors import ConsumerError, PayloadError
from ewms.core.event import Event
from ewms.core.wire import WorkEvent

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

Reader = Callable[[WorkEvent], Any]
"""Gives the argument; raises `PayloadError` for a body that does not fit, `InputError` for a blob that is gone."""

_ANYTHING = (inspect.Parameter.empty, Any, object)
_SIMPLE = {int: "int", float: "float", str: "str", bool: "bool", bytes: "bytes", dict: "dict", list: "list"}
"""Annotations that pydantic's core validates without pydantic, which takes a while to import."""
_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)


def reader_for(function: Callable[..., Any], name: str) -> Reader:
    """How to make the one argument of a consumer."""
    return _reader(_annotation(function, name), name)


def element_reader_for(function: Callable[..., Any], name: str) -> Reader:
    """How to make one element of the list that a vectorised consumer takes."""
    annotation = _annotation(function, name)
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Iterable) and get_args(annotation):
        return _reader(get_args(annotation)[0], name)
    if annotation in _ANYTHING or (isinstance(annotation, type) and issubclass(annotation, Collection)):
        return _read_plain
    raise ConsumerError(f"consumer '{name}' takes a list of bodies: annotate its parameter as list[...] or not at all")


def _annotation(function: Callable[..., Any], name: str) -> Any:
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise ConsumerError(
            f"an annotation of consumer '{name}' cannot be resolved: {error}; import it at run time, not under TYPE_CHECKING"
        ) from error
    except ValueError:  # a builtin without a signature
        return Any
    required = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    first = next((parameter for parameter in parameters if parameter.kind in _POSITIONAL), None)
    needed = [p for p in required if p.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)]
    if first is None or any(parameter is not first for parameter in needed):
        raise ConsumerError(f"consumer '{name}' must take one argument, the body or the event")
    return first.annotation


def _reader(annotation: Any, name: str) -> Reader:
    base = get_origin(annotation) or annotation
    if annotation in _ANYTHING:
        return _read_plain
    if base is Event:
        return _read_event
    if getattr(base, "__module__", "") == "numpy" and getattr(base, "__name__", "") == "ndarray":
        return _read_array
    if isinstance(base, type) and issubclass(base, msgspec.Struct):
        return _struct_reader(annotation)
    return _validating_reader(_validator(annotation, name), getattr(base, "__name__", str(annotation)))


def _payload(event: WorkEvent) -> WorkEvent | Payload:
    if not event.codec.startswith(REFERENCE_MARK):
        return event
    from ewms import blobs

    return blobs.resolve(event.codec, event.data)


def _read_plain(event: WorkEvent) -> Any:
    payload = _payload(event)
    return codecs.decode(payload.codec, payload.data)


def _read_event(event: WorkEvent) -> Event:
    return Event(id=event.id, body=_read_plain(event), headers=event.headers or {}, attempt=event.attempt)


def _read_array(event: WorkEvent) -> Any:
    import numpy

    try:
        return numpy.asarray(_read_plain(event))
    except ValueError as error:
        raise PayloadError(f"the body is no array: {error}") from error


def _struct_reader(annotation: Any) -> Reader:
    def read(event: WorkEvent) -> Any:
        try:
            return msgspec.convert(_read_plain(event), annotation)
        except msgspec.ValidationError as error:
            raise PayloadError(f"the body is no {getattr(annotation, '__name__', annotation)}: {error}") from error

    return read


def _validator(annotation: Any, name: str) -> SchemaValidator:
    if isinstance(annotation, type) and annotation in _SIMPLE:
        return pydantic_core.SchemaValidator({"type": _SIMPLE[annotation]})
    import pydantic

    try:
        return pydantic.TypeAdapter(annotation).validator  # type: ignore[return-value]
    except pydantic.errors.PydanticUserError as error:
        raise ConsumerError(f"consumer '{name}': no body can be made a {annotation!r}: {error.message}") from error


def _validating_reader(validator: SchemaValidator, shown: str) -> Reader:
    validate_json = validator.validate_json

    def read(event: WorkEvent) -> Any:
        payload = event if event.codec == "json" else _payload(event)
        try:
            if payload.codec == "json":
                return validate_json(payload.data)
            return validator.validate_python(codecs.decode(payload.codec, payload.data))
        except pydantic_core.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            problem = f"{place}: {first['msg']}" if place else first["msg"]
            raise PayloadError(f"the body is no valid {shown}: {problem}") from error

    return read
