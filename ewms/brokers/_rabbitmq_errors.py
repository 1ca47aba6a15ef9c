"""What aiormq raises, and what RabbitMQ says when it closes a channel, as errors that say what to do."""

from __future__ import annotations

import os
import re
import ssl

from aiormq import exceptions

from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable

_DENIED = re.compile(r"(?:\w+ )?access to \w+ '[^']*'")
_HELD_TOO_LONG = re.compile(r"timed out\. Timeout value used: (\d+) ms")
_TOO_LARGE = re.compile(r"message size (\d+) (?:is )?larger than configured max size (\d+)")


class Lost(ConnectionError):
    """The connection or the channel ended before an answer came."""


class Refused(Exception):
    """The server closed a channel because of what was asked on it.

    Parameters
    ----------
    text
        The server's reason.
    """

    def __init__(self, error: exceptions.AMQPChannelError) -> None:
        self.text = str(error)
        self.is_missing = isinstance(error, exceptions.ChannelNotFoundEntity) and "no queue" in self.text
        """The queue does not exist."""
        self.is_other_configuration = isinstance(error, exceptions.ChannelPreconditionFailed) and "inequivalent" in self.text
        """The queue exists with other settings."""
        self.is_denied = isinstance(error, exceptions.ChannelAccessRefused)
        """The user lacks a permission."""
        self.is_final = self.is_missing or self.is_other_configuration or self.is_denied
        """Another try does not help."""
        super().__init__(self.text)

    @property
    def held_too_long(self) -> float | None:
        """Seconds for which the server lets a message be held, if that is why it closed the channel."""
        match = _HELD_TOO_LONG.search(self.text)
        return None if match is None else int(match[1]) / 1000

    @property
    def too_large(self) -> tuple[int, int] | None:
        """Bytes of the message that was too large, and the limit, if that is why it closed the channel."""
        match = _TOO_LARGE.search(self.text)
        return None if match is None else (int(match[1]), int(match[2]))

    def as_rejection(self, queue: str, shown: str) -> BrokerRejected:
        """What a user is told.

        Parameters
        ----------
        queue
            Which queue it was about.
        shown
            The address without credentials.
        """
        if self.is_missing:
            return missing(queue, shown)
        denied = _DENIED.search(self.text)
        if denied is not None:
            return BrokerRejected(f"{shown} denies the user {denied[0]}; have it granted with rabbitmqctl set_permissions")
        return BrokerRejected(f"{shown} refuses queue {queue}: {self.text}")


def missing(queue: str, shown: str) -> BrokerRejected:
    """There is no such queue."""
    return BrokerRejected(f"queue {queue} does not exist at {shown}; its workflow has ended or was never started")


def connection_error(error: BaseException, shown: str, vhost: str) -> BrokerError:
    """Why a connection did not come about.

    Parameters
    ----------
    shown
        The address without credentials.
    vhost
        The virtual host that was asked for.
    """
    text = str(error) or "no answer in time"
    if isinstance(error, exceptions.ProbableAuthenticationError | exceptions.AuthenticationError):
        return BrokerRejected(f"{shown} refuses the credentials; check user and password, percent-encoded in the URL")
    if isinstance(error, exceptions.InvalidFrameError) and "Connection.OpenOk" in text:
        return BrokerRejected(
            f"{shown} has no virtual host {vhost!r} for this user; check the URL's path, or add it with "
            "rabbitmqctl add_vhost and set_permissions"
        )
    cause = error.__cause__ if isinstance(error, exceptions.AMQPConnectionError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return BrokerRejected(
            f"the certificate of {shown} is not trusted: {cause.verify_message}; name its authority with ?ca=FILE"
        )
    if isinstance(cause, ssl.SSLError):
        return BrokerRejected(
            f"TLS with {shown} failed: {cause.reason}; check the port, which is 5671 for most servers, and the files named"
        )
    if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
        text = os.strerror(cause.errno).lower()
    return BrokerUnavailable(f"no RabbitMQ server answers at {shown} ({text}); check the address and that the server runs")
