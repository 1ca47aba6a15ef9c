"""A message leased from JetStream."""

from __future__ import annotations

from nats.aio.msg import Msg

from ewms.brokers._nats_connection import Connection
from ewms.brokers.base import Delivery

_ACK, _RENEW, _GIVE_BACK = b"+ACK", b"+WPI", b"-NAK"
_DOTS_WITHOUT_DOMAIN = 8
_MESSAGE_ID = "Nats-Msg-Id"


class NatsDelivery(Delivery):
    """A message, and the subject that words about it go to."""

    __slots__ = ("_connection", "_headers", "_reply", "body", "redelivered")

    def __init__(self, message: Msg, connection: Connection) -> None:
        self._connection = connection
        self._reply = message.reply
        self._headers = message.headers
        self.body = message.data
        self.redelivered = _words(message.reply)[0] != "1"

    @property
    def message_id(self) -> str:
        """As in the contract."""
        return (self._headers or {}).get(_MESSAGE_ID, "")

    @property
    def sequence(self) -> str:
        """As in the contract: the number in the stream."""
        return _words(self._reply)[1]

    async def renew(self) -> None:
        """As in the contract; raises `BrokerUnavailable` after the broker's patience."""
        await self._connection.tell(self._reply, _RENEW)

    async def ack(self) -> None:
        """As in the contract. Not confirmed by the server: an ack that is lost costs a second delivery."""
        await self._connection.tell(self._reply, _ACK)

    async def give_back(self) -> None:
        """Let the queue deliver it at once to somebody else, if it can be told; after the lease otherwise."""
        await self._connection.shout(self._reply, _GIVE_BACK)


def _words(reply: str) -> tuple[str, str]:
    """Times delivered and number in the stream.

    From `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<times delivered>.<number in stream>.…`.
    """
    tokens = reply.split(".", 8)
    return (tokens[4], tokens[5]) if reply.count(".") == _DOTS_WITHOUT_DOMAIN else (tokens[6], tokens[7])
