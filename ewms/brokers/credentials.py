"""Credentials for the queues of one workflow: the contract, and what is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

MAX_LIFETIME = 14 * 86_400.0
"""Seconds for which a credential lasts at most: as long must be remembered that it was revoked."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What the bearer of a credential may do, and nothing else."""

    workflow_id: str
    """Whose queues they are; ends with it."""
    purpose: str
    """What the broker's lists call the bearer, beside the workflow: such as `pilot`."""
    lease: tuple[str, ...] = ()
    """Queues to lease from, to renew and to ack."""
    publish: tuple[str, ...] = ()
    """Queues to publish to."""
    signal: tuple[str, ...] = ()
    """Topics to send signals to."""
    hear: tuple[str, ...] = ()
    """Topics to listen to."""


class CredentialIssuer(ABC):
    """Makes credentials for a broker.

    Nothing of them is stored but at the broker, and what cannot be used to log in: each call makes them anew. All methods
    raise `BrokerError` where the broker is needed and does not do its part.
    """

    @abstractmethod
    async def issue(self, grant: Grant, lifetime: float) -> str:
        """A broker URL with which just that can be done.

        Parameters
        ----------
        lifetime
            Seconds after which it is of no use any more, nor a connection that was made with it; `MAX_LIFETIME` at most.
        """

    @abstractmethod
    async def revoke(self, workflow_id: str) -> None:
        """End all connections with credentials of a workflow, and let no others come about. Idempotent.

        Credentials that are issued later are good again: a workflow may be resumed.
        """

    async def close(self) -> None:
        """Release what it holds."""
        return


class SharedCredentials(CredentialIssuer):
    """One URL for everybody, for brokers that can make no others: whoever has it can do everything.

    Parameters
    ----------
    url
        As whom pilots and users connect.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def issue(self, grant: Grant, lifetime: float) -> str:
        """The one URL."""
        return self._url

    async def revoke(self, workflow_id: str) -> None:
        """Nothing is to be revoked without everybody else's."""
