"""Grants in NATS's own words: subjects. Pure.

Whoever sends a request says where the answer goes, and a server sends it there, whatever the sender may publish to: in one
account a pilot could have its messages, which it chooses, delivered to another workflow's queue or to the management of
streams. So queues and guests live in two accounts, and the guests' account imports nothing but these subjects: an answer
ends in the account that it was asked from.
"""

from __future__ import annotations

from typing import Any

from ewms.brokers._nats_jetstream import CONSUMER, QUEUES, SIGNALS, queue_subject, signal_subject, stream_name
from ewms.brokers.credentials import Grant
from ewms.brokers.nats_login import inbox_of

_NEXT = "$JS.API.CONSUMER.MSG.NEXT"
_INFO = "$JS.API.CONSUMER.INFO"
_SERVICES = {
    f"{_NEXT}.*.{CONSUMER}": "Stream",
    f"{_INFO}.*.{CONSUMER}": "Singleton",
    "$JS.ACK.>": "Singleton",
    f"{QUEUES}.*": "Singleton",
    f"{SIGNALS}.*": "Singleton",
}
"""What guests may send requests to at all, with how many answers there are."""


def subjects_of(grant: Grant, identity: str) -> tuple[list[str], list[str]]:
    """What the bearer of a token may publish to, and subscribe to."""
    publish = [queue_subject(queue) for queue in grant.publish]
    publish += [signal_subject(topic) for topic in grant.signal]
    for queue in grant.lease:
        stream = stream_name(queue)
        publish += [f"{_NEXT}.{stream}.{CONSUMER}", f"$JS.ACK.{stream}.{CONSUMER}.>"]
    # Tells a pilot at once that its queues are gone, where it would wait for them otherwise.
    publish += [f"{_INFO}.{stream_name(queue)}.{CONSUMER}" for queue in (*grant.lease, *grant.publish)]
    return publish, [f"{inbox_of(identity)}.>", *(signal_subject(topic) for topic in grant.hear)]


def exports() -> list[dict[str, Any]]:
    """What the account that has the queues offers."""
    services = [
        {"name": subject, "subject": subject, "type": "service", "response_type": answers}
        for subject, answers in _SERVICES.items()
    ]
    return [*services, {"name": "signals", "subject": f"{SIGNALS}.*", "type": "stream"}]


def imports(account: str) -> list[dict[str, Any]]:
    """What the guests' account takes of it.

    Parameters
    ----------
    account
        Public key of the account that has the queues.
    """
    services = [{"name": subject, "subject": subject, "account": account, "type": "service"} for subject in _SERVICES]
    return [*services, {"name": "signals", "subject": f"{SIGNALS}.*", "account": account, "type": "stream"}]
