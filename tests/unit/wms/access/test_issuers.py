"""Which broker gets which issuer, and how an issued credential looks to plain clients."""

from __future__ import annotations

from typing import Any

import pytest

from ewms.brokers.base import Capabilities
from ewms.brokers.credentials import MAX_LIFETIME, SharedCredentials
from ewms.brokers.urls import without_login
from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration, parse_configuration
from ewms.wms.access.grants import load_grant, pilot_grant, pilot_lifetime, read_grant
from ewms.wms.access.issuers import issuer_for

REMOTE = Capabilities(
    durable=True, multi_process=True, multi_host=True, renewable_lease=True, max_message_bytes=1, redelivered_flag=True
)
LOCAL = Capabilities(
    durable=False, multi_process=False, multi_host=False, renewable_lease=True, max_message_bytes=1, redelivered_flag=True
)


def configuration(broker: str, access: dict[str, Any]) -> Configuration:
    document = {"service": {"data": "/d", "broker": "env:BROKER"}, "access": access}
    return parse_configuration(document, "ewms.toml", lambda name: broker if name == "env:BROKER" else "no seed")


@pytest.mark.parametrize("broker", ["nats://t@host", "amqp://me:pass@host/v", "pulsar://host"])
def test_sharing_is_never_a_default(broker: str) -> None:
    with pytest.raises(InputError, match=r"no credentials can be issued for .* shared_credentials = true") as caught:
        issuer_for(configuration(broker, {}), REMOTE)
    assert "pass" not in str(caught.value)
    assert isinstance(issuer_for(configuration(broker, {"shared_credentials": True}), REMOTE), SharedCredentials)


async def test_a_broker_inside_one_process_is_shared() -> None:
    shared = issuer_for(configuration("memory://one", {}), LOCAL)
    assert await shared.issue(pilot_grant("WF-1"), 1.0) == "memory://one"
    await shared.revoke("WF-1")
    await shared.close()


@pytest.mark.parametrize(
    ("nats", "telling"),
    [
        ({"account": "env:A"}, "needs account, operator and system"),
        ({"account": "env:A", "operator": "env:O", "system": "env:S"}, "account: this is no seed of an nkey"),
    ],
)
async def test_half_of_a_nats_account_is_refused(nats: dict[str, str], telling: str) -> None:
    with pytest.raises(InputError, match=telling) as caught:
        issuer_for(configuration("nats://t@host", {"nats": nats}), REMOTE)
    assert "no seed\n" not in str(caught.value)


def test_grants_go_one_way() -> None:
    assert (load_grant("WF-1", "in").lease, load_grant("WF-1", "in").publish) == ((), ("in",))
    assert (read_grant("WF-1", "out").lease, read_grant("WF-1", "out").publish) == (("out",), ())
    pilot = pilot_grant("WF-1")
    assert set(pilot.lease).isdisjoint(pilot.publish)
    assert set(pilot.signal).isdisjoint(pilot.hear)


@pytest.mark.parametrize("runtime", [None, 60.0, 86_400.0, 10 * 86_400.0])
def test_a_credential_outlasts_a_pilot_that_starts_just_before_the_next(runtime: float | None) -> None:
    assert (runtime or 86_400.0) + 3600.0 < pilot_lifetime(runtime) <= MAX_LIFETIME


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("nats://token@host:4222", "nats://host:4222"),
        ("tls://host:4222?creds=/secret.creds&ca=/ca.pem&replicas=3", "tls://host:4222?ca=/ca.pem&replicas=3"),
        ("amqp://me:p%40ss@a,b/v?password_file=/p&heartbeat=5", "amqp://a,b/v?heartbeat=5"),
        ("nats://host?token_file=/t", "nats://host"),
    ],
)
def test_others_are_told_the_address_alone(url: str, plain: str) -> None:
    assert without_login(url) == plain
