"""What is wrong with a document, in one line that names the key. Pure."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

_LONGEST = 300


def complaint(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake: its place and what to do, but never the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            return f"unknown key '{place}'; {_known(model, first['loc'])}"
        case "missing":
            return f"key '{place}' is missing"
        case "value_error":
            said = str(first["ctx"]["error"])
        case _:
            said = str(first["msg"])
    return f"{place}: {said}"[:_LONGEST] if place else said[:_LONGEST]


def _known(model: type[BaseModel], location: Sequence[str | int]) -> str:
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        model = model if inner is None else inner
    near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(model.model_fields)}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `dict[str, Model]` or `Model | None`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in found if model is not None), None)
