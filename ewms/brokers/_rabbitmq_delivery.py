"""A message leased from RabbitMQ."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiormq.abc import DeliveredMessage

from ewms.brokers.base import Delivery


class RabbitmqDelivery(Delivery):
    """A message, held for as long as the channel that it came on.

    Parameters
    ----------
    settle
        Tells the server that it is done with.
    """

    __slots__ = ("_message_id", "_settle", "body", "is_settled", "redelivered", "subscription", "tag")

    def __init__(self, message: DeliveredMessage, settle: Callable[[RabbitmqDelivery], Awaitable[None]]) -> None:
        self.body = message.body
        self.redelivered = bool(message.redelivered)
        self.tag = message.delivery_tag or 0
        self.subscription = message.consumer_tag or ""
        self.is_settled = False
        self._message_id = message.header.properties.message_id
        self._settle = settle

    @property
    def message_id(self) -> str:
        """As in the contract."""
        return self._message_id or ""

    async def renew(self) -> None:
        """Nothing to do: the connection is the lease."""

    async def ack(self) -> None:
        """As in the contract. Not confirmed by the server: an ack that is lost costs a second delivery."""
        await self._settle(self)
