"""The one error tree. A class's docstring is its default message and says what to do next.

EwmsError
├── UsageError                the caller's mistake: exit code 2
│   ├── SpecError             the workflow spec is wrong
│   ├── InputError            an input is missing, unreadable or repeated
│   ├── ConsumerError         a pilot could not import the consumer
│   └── PayloadError          a value cannot be encoded or decoded by its codec
├── BrokerError
│   ├── BrokerUnavailable     nobody answers at the address
│   ├── BrokerRejected        the broker refuses the credentials or the operation
│   └── MessageTooLarge       above the broker's limit
├── StoreError
│   ├── StaleEpoch            a newer driver owns the workflow
│   ├── RunLocked             another driver works in the run directory
│   ├── StoreFull             the disk is full
│   └── Conflict              somebody else changed the document meanwhile
├── Unauthenticated           nobody knows who the caller is
├── ProviderUnavailable       the OpenID provider does not answer
├── Forbidden                 the caller may not do this
├── NotFound                  there is no such thing, or the caller may not see it
├── ApplicationError          application code raised
├── WorkflowFailed            the workflow cannot go on
├── WorkflowCancelled         somebody cancelled it
└── EventFailed               an event became a dead letter
"""

from __future__ import annotations

from typing import ClassVar


class EwmsError(Exception):
    """Something went wrong inside ewms; run again with -v for the cause chain."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        lines = (type(self).__doc__ or "" if message is None else message).splitlines()
        # What others say is often part of a message, and may be many lines.
        super().__init__(" ".join(line.strip() for line in lines))


class UsageError(EwmsError):
    """The command cannot be carried out as given; see --help."""

    exit_code = 2


class SpecError(UsageError):
    """The workflow spec is not valid; correct the named key."""


class InputError(UsageError):
    """An input cannot be used; correct or remove it."""


class ConsumerError(UsageError):
    """The consumer cannot be imported; define it at the top level of a module beside the workflow."""


class PayloadError(UsageError):
    """A value does not fit its codec; return JSON-like values, bytes or numpy arrays, or name another codec."""


class BrokerError(EwmsError):
    """The broker failed; see its log."""


class BrokerUnavailable(BrokerError):
    """No broker answers; check the address and that the server runs."""


class BrokerRejected(BrokerError):
    """The broker refused; check user, password or token and their permissions."""


class MessageTooLarge(BrokerError):
    """A message is above the broker's limit; raise the limit or send the body by reference."""


class StoreError(EwmsError):
    """The journal cannot be used; check the run directory."""


class StaleEpoch(StoreError):
    """A newer driver has taken this workflow over; this one stops."""


class RunLocked(StoreError):
    """Another driver is working in this run directory; wait for it or stop it."""


class StoreFull(StoreError):
    """The disk is full; free some space and run `ewms resume`."""


class Conflict(StoreError):
    """Somebody else changed it meanwhile; read it again."""


class Unauthenticated(EwmsError):
    """The request carries no valid token; log in, or send one as `Authorization: Bearer …`."""


class ProviderUnavailable(EwmsError):
    """The OpenID provider does not answer, so nobody can tell who the caller is; try again later."""


class Forbidden(EwmsError):
    """The token does not allow this; ask an operator for the role."""


class NotFound(EwmsError):
    """There is no such object."""


class ApplicationError(EwmsError):
    """The application raised; correct it and run `ewms resume`."""


class WorkflowFailed(EwmsError):
    """The workflow failed; see `ewms why`."""


class WorkflowCancelled(EwmsError):
    """The workflow was cancelled."""


class EventFailed(EwmsError):
    """An event was given up on; see its dead letter."""
