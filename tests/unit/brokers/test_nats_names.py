"""Names that JetStream takes, one for each queue."""

from __future__ import annotations

import re

from ewms.brokers._nats_jetstream import queue_subject, signal_subject, stream_name


def test_plain_names_stay_readable() -> None:
    assert stream_name("WF-1-work") == "WF-1-work"


def test_other_names_stay_apart() -> None:
    queues = ["a.b", "a b", "a/b", "a_b", "a*b", "a>b", "ä", "x" * 300, "x" * 301]
    names = {stream_name(queue) for queue in queues}
    assert len(names) == len(queues)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,200}", name) for name in names)


def test_queues_and_signals_do_not_meet() -> None:
    assert queue_subject("same") != signal_subject("same")
