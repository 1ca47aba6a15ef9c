"""Who may see what: users their own, operators and TMSs everything. Who may call what is in `ewms.wms.access.roles`."""

from __future__ import annotations

from ewms.core.errors import NotFound
from ewms.core.query import AllOf, OneOf, Query
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import Role

_ALL_SEEING = frozenset({Role.OPERATOR, Role.TMS})


def may_see(caller: Caller, owner: str) -> bool:
    """Whether something of that owner is the caller's business."""
    return caller.role in _ALL_SEEING or (caller.role is Role.USER and caller.name == owner)


def require_sight(caller: Caller, owner: str, what: str) -> None:
    """`NotFound` for what the caller may not see, as if it were not there."""
    if not may_see(caller, owner):
        raise not_found(what)


def not_found(what: str) -> NotFound:
    """The error for what is not there, or not for this caller."""
    return NotFound(f"there is no {what:.200}, or it is not yours")


def restricted(query: Query, caller: Caller) -> Query:
    """A query over what the caller may see, in documents with an `owner`."""
    if caller.role in _ALL_SEEING:
        return query
    return Query(AllOf((query.root, OneOf("owner", (caller.name,)))))
