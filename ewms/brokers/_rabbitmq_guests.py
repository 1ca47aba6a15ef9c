"""Users of RabbitMQ who may do but the work of certain queues: their names, their exchanges and their permissions. Pure.

RabbitMQ's permissions are for exchanges, not for where a message goes from there: whoever may publish to the exchange that
all share reaches every queue. So guests have two exchanges of their own, with bindings that they cannot change: from
`<group>.out` to the queues and topics that they publish to, and from the topics that they hear to `<group>.in`. One group is
all users of one grant. A user's name ends with the time until when it is good, because RabbitMQ has no such thing.
"""

from __future__ import annotations

import hashlib
import re
from typing import Self

import msgspec

from ewms.brokers.credentials import Grant

_NAME = re.compile(r"(ewms\.[A-Za-z0-9_-]+\.[a-z]+\.[0-9a-f]{8})\.([0-9a-f]{1,16})\.[0-9a-f]{16}", re.ASCII)
_OWN_QUEUES = r"amq\.gen-[A-Za-z0-9_-]+"
"""What the server names itself; signals are heard through such queues."""
_NOTHING = "^$"


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a group."""

    group: str
    """What the names of its exchanges begin with."""
    expires: int
    """Seconds since 1970."""

    @classmethod
    def of(cls, user: str) -> Self | None:
        """Who a user's name says it is; None for users of another kind."""
        match = _NAME.fullmatch(user)
        return None if match is None else cls(group=match[1], expires=int(match[2], 16))

    @property
    def way_out(self) -> str:
        """The exchange to publish to: events by their queue's name, signals by their topic."""
        return f"{self.group}.out"

    @property
    def way_in(self) -> str:
        """The exchange to listen at."""
        return f"{self.group}.in"

    def user(self, entropy: bytes) -> str:
        """The name of one user of the group."""
        return f"{self.group}.{self.expires:x}.{entropy[:8].hex()}"

    def permissions(self, grant: Grant) -> dict[str, str]:
        """For the management API: three regular expressions."""
        own = [_OWN_QUEUES] if grant.hear else []
        written = own + ([re.escape(self.way_out)] if grant.publish or grant.signal else [])
        read = own + ([re.escape(self.way_in)] if grant.hear else []) + [re.escape(queue) for queue in grant.lease]
        return {"configure": _any(own), "write": _any(written), "read": _any(read)}


def guest_of(grant: Grant, expires: int) -> Guest:
    """The user that a grant makes."""
    parts = (grant.lease, grant.publish, grant.signal, grant.hear)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return Guest(group=f"{prefix_of(grant.workflow_id)}{grant.purpose}.{digest}", expires=expires)


def prefix_of(workflow_id: str) -> str:
    """What the names of all guests of a workflow, and of their exchanges, begin with."""
    return f"ewms.{workflow_id}."


def _any(expressions: list[str]) -> str:
    return f"^({'|'.join(expressions)})$" if expressions else _NOTHING
