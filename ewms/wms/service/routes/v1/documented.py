"""What the routes' documentation says of answers, beside the one that all goes well."""

from __future__ import annotations

from typing import Any

from ewms.core.service.objects import ErrorResponse

Responses = dict[int | str, dict[str, Any]]

BAD_REQUEST: Responses = {400: {"model": ErrorResponse, "description": "Invalid request arguments"}}
"""Of every route."""
NOT_FOUND: Responses = {404: {"model": ErrorResponse, "description": "Not found"}}
"""Of routes that name one object."""
UNPROCESSABLE: Responses = {422: {"model": ErrorResponse, "description": "Unprocessable Entity"}}
"""Of what cannot be done any more."""


def answers(model: Any, *others: Responses) -> Responses:
    """The answers of a route: 200 with a model, 400, and others."""
    responses: Responses = {200: {"model": model}, **BAD_REQUEST}
    for other in others:
        responses.update(other)
    return responses
