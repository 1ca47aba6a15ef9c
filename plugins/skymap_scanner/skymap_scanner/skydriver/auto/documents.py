"""Reads and changes documents that others may change at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from pydantic import BaseModel

from ewms.services import Conflict, NotFound, Query, Replace
from skymap_scanner.skydriver.auto.ports import Documents

Model = TypeVar("Model", bound=BaseModel)
_AT_ONCE = 200


async def load(documents: Documents, collection: str, key: str, model: type[Model]) -> Model:
    """One document; `NotFound` if there is none."""
    stored = await documents.get(collection, key)
    if stored is None:
        raise NotFound(f"there is no {key:.80} among the {collection}")
    return model.model_validate(stored.body)


async def change(
    documents: Documents, collection: str, key: str, model: type[Model], how: Callable[[Model], Model | None]
) -> Model:
    """Change a document, again and again until nobody else has changed it meanwhile.

    Parameters
    ----------
    how
        A function of the document as it is now; None leaves it so.

    Raises
    ------
    NotFound
        There is none.
    """
    while True:
        stored = await documents.get(collection, key)
        if stored is None:
            raise NotFound(f"there is no {key:.80} among the {collection}")
        before = model.model_validate(stored.body)
        after = how(before)
        if after is None or after == before:
            return before
        body = after.model_dump(mode="json")
        try:
            await documents.write(Replace(collection=collection, key=key, version=stored.version, body=body))
        except Conflict:
            continue
        return after


async def find_all(
    documents: Documents, collection: str, query: Query, model: type[Model], order: str | None = None
) -> AsyncIterator[Model]:
    """All documents that satisfy a query.

    Parameters
    ----------
    order
        Key by which they come, ascending.
    """
    after: str | None = None
    while True:
        page = await documents.find(
            collection, query, order=() if order is None else ((order, False),), after=after, limit=_AT_ONCE
        )
        for stored in page.items:
            yield model.model_validate(stored.body)
        if (after := page.after) is None:
            return
