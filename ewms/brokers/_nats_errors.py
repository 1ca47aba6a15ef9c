"""What nats-py raises, and what servers answer, as errors that say what to do."""

from __future__ import annotations

import os
import re
import ssl

import msgspec
from nats import errors

from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable

_CREDENTIALS = ("authorization violation", "authorization failed", "authentication expired", "authentication revoked")
_PERMISSION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')


def connection_error(error: BaseException, shown: str) -> BrokerError:
    """Why a connection did not come about.

    Parameters
    ----------
    shown
        The address without credentials.
    """
    text = str(error) or "no answer in time"
    if any(words in text.lower() for words in _CREDENTIALS):
        return BrokerRejected(f"{shown} refuses the credentials; check user, password, token or key, and their expiry")
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerRejected(
            f"the certificate of {shown} is not trusted: {error.verify_message}; name its authority with ?ca=FILE"
        )
    if isinstance(error, ssl.SSLError):
        return BrokerRejected(f"TLS with {shown} failed: {error.reason}; check the ca, cert and key files")
    if isinstance(error, errors.SecureConnWantedError):
        return BrokerRejected(f"{shown} offers no TLS; use nats:// without ca and cert if the network is trusted")
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        text = os.strerror(error.errno).lower()
    reason = text.removeprefix("nats: ")
    return BrokerUnavailable(f"no NATS server answers at {shown} ({reason}); check the address and that the server runs")


def violation(error: BaseException) -> tuple[str, str] | None:
    """`publish` or `subscription` and the subject in lower case, where an error tells of a missing permission."""
    match = _PERMISSION.search(str(error).lower())
    return (match[1], match[2]) if match else None


class PermissionMissing(BrokerRejected):
    """The user may not publish to a subject."""


def permission_missing(verb: str, subject: str, shown: str) -> BrokerRejected:
    """With the subject that the administrator has to allow.

    Parameters
    ----------
    verb
        `publish` or `subscription`.
    """
    kind = PermissionMissing if verb == "publish" else BrokerRejected
    return kind(f"{shown} denies the user the permission for {verb} to {subject}; have it granted")


class ApiError(msgspec.Struct, frozen=True):
    """The error part of a JetStream answer."""

    code: int
    """As in HTTP."""
    err_code: int = 0
    """JetStream's own."""
    description: str = ""
    """In words."""

    @property
    def is_missing(self) -> bool:
        """The stream or the consumer does not exist."""
        return self.err_code in {10014, 10059}

    @property
    def is_other_configuration(self) -> bool:
        """The stream exists with other settings."""
        return self.err_code == 10058

    @property
    def is_silence(self) -> bool:
        """Not an answer at all: nobody listens to the subject."""
        return self.code == 503 and self.err_code == 0

    @property
    def is_passing(self) -> bool:
        """Worth another try."""
        return self.code >= 500 and not self.is_disabled

    @property
    def is_disabled(self) -> bool:
        """There is no JetStream."""
        return self.err_code in {10039, 10076}


class Refused(BrokerRejected):
    """JetStream refused a request for a reason that another try does not change.

    Parameters
    ----------
    queue
        Which queue it was about.
    shown
        The address without credentials.
    """

    def __init__(self, error: ApiError, queue: str, shown: str) -> None:
        self.error = error
        if error.is_missing:
            message = f"queue {queue} does not exist at {shown}; its workflow has ended or was never started"
        else:
            message = f"{shown} refuses queue {queue}: {error.description}"
        super().__init__(message)


def no_jetstream(shown: str) -> BrokerRejected:
    """The server has no JetStream for this user."""
    return BrokerRejected(f"{shown} has no JetStream; start nats-server with -js, or enable it for the account")
