"""Listings: a page, where the next one begins, and how many there are in all."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items in the page.")]
After = Annotated[str | None, Query(max_length=4000, description="`after` of the page before.")]


class Listing(BaseModel, Generic[T]):
    """A page of a listing."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    """In the listing's order."""
    after: str | None = None
    """Where the next page begins; null if this is the last one, so that the listing is not cut."""
    total: int
    """How many there are in all pages. Exact."""
