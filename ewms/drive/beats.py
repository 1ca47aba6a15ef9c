"""Signs of life: a host's own, and for how long others have given none, judged by this host's clock alone.

A host keeps one document, whose version grows with every beat; the workflows that it drives name the host.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from ewms.core.errors import Conflict, StaleEpoch
from ewms.core.query import Query
from ewms.stores.collections import HOSTS
from ewms.stores.store import Delete, Insert, Page, Replace, Store

_log = logging.getLogger("ewms.drive")
ROLE = "drive"
_OF_THIS_ROLE = Query.parse({"role": ROLE})


class Beats:
    """One host's beat, and a watch on the others'.

    Parameters
    ----------
    name
        What people call this host; what identifies it is minted, so that it is not taken for its predecessor.
    lease
        Seconds without a beat after which another host is taken for dead.
    clock
        Monotonic seconds.
    """

    def __init__(self, store: Store, name: str, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.host_id = f"{name}-{secrets.token_hex(4)}"
        self.interval = lease / 3
        """Seconds between beats."""
        self._store = store
        self._lease = lease
        self._clock = clock
        self._beat = 0
        self._changed: dict[str, tuple[int, float]] = {}

    async def announce(self) -> None:
        """Begin to live."""
        self._beat = 1
        await self._store.write(Insert(collection=HOSTS, key=self.host_id, body=self._body))

    async def beat(self) -> None:
        """Give a sign of life; `StaleEpoch` if others have taken this host for dead meanwhile."""
        self._beat += 1
        try:
            await self._store.write(Replace(collection=HOSTS, key=self.host_id, version=self._beat - 1, body=self._body))
        except Conflict as error:
            raise StaleEpoch(
                f"driver host {self.host_id} was silent for a lease and taken for dead; others have its workflows"
            ) from error

    async def withdraw(self, host_id: str | None = None) -> None:
        """Remove a host's document, this one's if not told otherwise: whatever names it may be taken at once."""
        await self._store.write(Delete(collection=HOSTS, key=host_id or self.host_id))

    async def look(self) -> dict[str, bool]:
        """Every other host, and whether it lives as far as this one can tell."""
        now = self._clock()
        found: dict[str, int] = {}
        page: Page | None = None
        while page is None or page.after is not None:
            page = await self._store.find(HOSTS, _OF_THIS_ROLE, after=page.after if page else None)
            found |= {item.key: item.version for item in page.items if item.key != self.host_id}
        seen = {
            key: self._changed[key] if key in self._changed and self._changed[key][0] == version else (version, now)
            for key, version in found.items()
        }
        self._changed = seen
        return {key: now - since < self._lease for key, (_, since) in seen.items()}

    @property
    def _body(self) -> dict[str, object]:
        return {"role": ROLE, "beat": self._beat}
