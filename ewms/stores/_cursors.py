"""`Page.after`: where the next page begins, as an opaque text that fits one query and one order."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ewms.core.errors import InputError
from ewms.core.query import Query, Scalar
from ewms.stores._checks import indexed_keys


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A document's place in a listing."""

    fits: str
    """Digest of the listing."""
    values: list[Scalar]
    """Of the keys that it is ordered by."""
    key: str
    """Its key."""


@dataclass(frozen=True)
class Listing:
    """What a page is a part of."""

    collection: str
    """Where."""
    query: Query | None
    """Which documents."""
    order: tuple[str, ...]
    """Indexed keys, foremost first; the document's own key comes after them."""
    descending: bool
    """Whether everything is the other way round."""

    @classmethod
    def of(cls, collection: str, query: Query | None, order: Sequence[tuple[str, bool]]) -> Listing:
        """A listing; `InputError` for an order that no store keeps by an index."""
        known = indexed_keys(collection)
        for key, _ in order:
            if key not in known:
                raise InputError(f"{collection} cannot be ordered by {key!r:.100}; use one of {', '.join(sorted(known))}")
        if len({descends for _, descends in order}) > 1:
            raise InputError(f"an order of {collection} must go up in all its keys or down in all")
        return cls(collection, query, tuple(key for key, _ in order), bool(order) and order[0][1])

    def cursor(self, values: Sequence[Scalar], key: str) -> str:
        """The cursor behind a document."""
        position = Position(self._digest(), list(values), key)
        return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")

    def position(self, cursor: str | None) -> Position | None:
        """What a cursor means; `InputError` unless this listing gave it."""
        if cursor is None:
            return None
        try:
            data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position = msgspec.json.decode(data, type=Position)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            raise InputError(f"{cursor!r:.60} is not where a page begins; use `after` of the page before") from None
        if position.fits != self._digest() or len(position.values) != len(self.order):
            raise InputError("`after` belongs to another query or order; begin again without it")
        return position

    def _digest(self) -> str:
        return hashlib.blake2b(repr(self).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
