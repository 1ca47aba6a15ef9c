"""What the service wants of a cluster, as far as the TMS knows: the last plan, and what it has confirmed since."""

from __future__ import annotations

from typing import NamedTuple

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order, Plan, TaskforceDocument

_COURSE = {phase: number for number, phase in enumerate(Phase)}


class _Confirmed(NamedTuple):
    phase: Phase
    asked: int
    """Plans that had been asked for by then."""


class Wanted:
    """A plan that was asked for before something was confirmed may not show it; one asked for later does."""

    def __init__(self) -> None:
        self.revision: int | None = None
        """Of the last plan; None before the first: then nothing is known, and nothing is an orphan."""
        self._orders: dict[str, Order] = {}
        self._confirmed: dict[str, _Confirmed] = {}
        self._asked = 0

    def ask(self) -> int:
        """Note that a plan is asked for; which one it is."""
        self._asked += 1
        return self._asked

    def learn(self, plan: Plan, asked: int) -> None:
        """Take over a plan: the answer to that question."""
        self.revision = plan.revision
        self._orders = {order.taskforce.taskforce_uuid: order for order in plan.orders}
        self._confirmed = {uuid: known for uuid, known in self._confirmed.items() if known.asked >= asked}

    def confirm(self, uuid: str, phase: Phase) -> None:
        """Note that the service was told of a phase, and took it."""
        self._confirmed[uuid] = _Confirmed(phase, self._asked)

    def orders(self) -> dict[str, Order]:
        """By taskforce, without those that are known to be over."""
        current = {uuid: self._current(uuid, order) for uuid, order in self._orders.items()}
        return {uuid: order for uuid, order in current.items() if order.taskforce.phase is not Phase.CONDOR_COMPLETE}

    def order(self, uuid: str) -> Order | None:
        """That of a taskforce; None if nothing is wanted of it."""
        order = self._orders.get(uuid)
        return None if order is None else self._current(uuid, order)

    def taskforces(self) -> list[TaskforceDocument]:
        """All that the plan names, also those that are known to be over."""
        return [order.taskforce for order in self._orders.values()]

    def excluded_sites(self) -> set[str]:
        """Where the service lets no worker start, for whatever reason."""
        return {site for order in self._orders.values() for site in order.excluded_sites}

    def _current(self, uuid: str, order: Order) -> Order:
        known = self._confirmed.get(uuid)
        if known is None or _COURSE[known.phase] <= _COURSE[order.taskforce.phase]:
            return order
        return order.model_copy(update={"taskforce": order.taskforce.model_copy(update={"phase": known.phase})})
