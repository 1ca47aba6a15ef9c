"""Whatever queues, topics and workflows are called, a grant reaches these and no others."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ewms.brokers._nats_jetstream import queue_subject, signal_subject
from ewms.brokers._nats_permissions import subjects_of
from ewms.brokers._rabbitmq_guests import Guest, guest_of, prefix_of
from ewms.brokers.credentials import Grant
from ewms.brokers.nats_login import inbox_of

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40) | st.sampled_from(
    ["*", ">", "a.b", "a.*", ".*", "x|y", "^$", "WF-1-work", "WF-1-work.dead", "$JS.API.>"]
)
WORKFLOWS = st.from_regex(r"WF-[0-9a-f]{8}-[0-9a-f]{8}", fullmatch=True)
FEW = st.lists(NAMES, max_size=3, unique=True).map(tuple)
GRANTS = st.builds(
    Grant,
    workflow_id=WORKFLOWS,
    purpose=st.sampled_from(["pilot", "load", "read"]),
    lease=FEW,
    publish=FEW,
    signal=FEW,
    hear=FEW,
)


@given(GRANTS)
def test_subjects_have_no_wildcards_but_at_the_end_of_ones_own(grant: Grant) -> None:
    publish, subscribe = subjects_of(grant, "identity")
    assert subscribe[0] == f"{inbox_of('identity')}.>"
    for subject in [*publish, *subscribe[1:]]:
        tokens = subject.split(".")
        assert all(tokens)
        assert "*" not in tokens
        assert ">" not in tokens or (subject.startswith("$JS.ACK.") and tokens.index(">") == len(tokens) - 1 == 4)


@given(GRANTS, NAMES)
def test_subjects_are_of_what_was_granted(grant: Grant, other: str) -> None:
    publish, subscribe = subjects_of(grant, "identity")
    assert (queue_subject(other) in publish) == (other in grant.publish)
    assert (signal_subject(other) in publish) == (other in grant.signal)
    assert (signal_subject(other) in subscribe) == (other in grant.hear)


@given(GRANTS, NAMES, st.integers(0, 2**40), st.binary(min_size=8, max_size=8))
def test_permissions_are_of_what_was_granted(grant: Grant, other: str, expires: int, entropy: bytes) -> None:
    guest = guest_of(grant, expires)
    permissions = guest.permissions(grant)
    read, written, made = (re.compile(permissions[kind]) for kind in ("read", "write", "configure"))
    assert all(read.search(queue) for queue in grant.lease)
    own = {guest.way_in, guest.way_out}
    if other not in own and not other.startswith("amq.gen-"):
        assert bool(read.search(other)) == (other in grant.lease)
        assert not written.search(other)
        assert not made.search(other)
    for everybodys in ("amq.default", "ewms.signals", f"{prefix_of('WF-0-0')}pilot.00000000.out"):
        assert not written.search(everybodys)
        assert everybodys in grant.lease or not read.search(everybodys)
    assert Guest.of(guest.user(entropy)) == guest
    assert guest.user(entropy).startswith(prefix_of(grant.workflow_id))


@given(NAMES)
def test_other_users_are_no_guests(name: str) -> None:
    assert Guest.of(name) is None
