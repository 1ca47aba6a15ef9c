"""The forms of a NATS URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.brokers._nats_url import NatsAddress
from ewms.core.errors import UsageError

SEED = "SUAMLK2ZNL35WSMW37E7UD4VZ7ELPKW7DHC3BWBSD2GCZ7IUQQXZIORRBU"


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("nats://host", ["nats://host:4222"]),
        ("nats://host:1/", ["nats://host:1"]),
        ("tls://[::1]:1", ["tls://[::1]:1"]),
        ("nats://token@a,b:5", ["nats://a:4222", "nats://b:5"]),
        ("nats://a:1,nats://b:2", ["nats://a:1", "nats://b:2"]),
    ],
)
def test_servers_come_without_credentials(url: str, servers: list[str]) -> None:
    assert NatsAddress.parse(url).servers == servers


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("nats://host", {}),
        ("nats://to%40ken@host", {"token": "to@ken"}),
        ("nats://me:pass%3Aword@host", {"user": "me", "password": "pass:word"}),
    ],
)
def test_credentials_are_decoded(url: str, login: dict[str, str]) -> None:
    assert NatsAddress.parse(url).login == login


def test_a_token_can_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("from-file\n")
    assert NatsAddress.parse(f"nats://host?token_file={path}").login == {"token": "from-file"}


def test_an_nkey_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    path.write_text(SEED)
    assert NatsAddress.parse(f"nats://host?nkey={path}").login == {"nkeys_seed": str(path)}
    path.write_text("not a seed")
    with pytest.raises(UsageError, match="nkey file"):
        NatsAddress.parse(f"nats://host?nkey={path}")


def test_a_creds_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "user.creds"
    path.write_text("not credentials")
    with pytest.raises(UsageError, match="creds file"):
        NatsAddress.parse(f"nats://host?creds={path}")


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("nats://localhost", True),
        ("nats://127.0.0.1:1", True),
        ("nats://[::1]:1", True),
        ("nats://localhost,host", False),
        ("nats://192.168.0.1", False),
    ],
)
def test_loopback_is_recognised(url: str, is_local: bool) -> None:
    assert NatsAddress.parse(url).is_local is is_local


@pytest.mark.parametrize(
    ("url", "telling"),
    [
        ("nats://", "malformed"),
        ("nats://SECRET:pass@host:port", "malformed"),
        ("nats://SECRET@pass@host:1", "malformed"),
        ("nats://SECRET@host/path", "malformed"),
        ("nats://SECRET@host?kreds=x", "'kreds'"),
        ("nats://SECRET@host?replicas=many", "replicas"),
        ("nats://SECRET@host?ca=/not/there", "ca file '/not/there' cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_named_without_secrets(url: str, telling: str) -> None:
    with pytest.raises(UsageError, match=telling) as caught:
        NatsAddress.parse(url)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(UsageError, match="ca, cert or key"):
        NatsAddress.parse(f"tls://host?ca={path}")


def test_tls_only_where_asked_for() -> None:
    assert NatsAddress.parse("nats://host").tls is None
    assert NatsAddress.parse("tls://host").tls is not None


def test_replicas() -> None:
    assert NatsAddress.parse("nats://host").replicas == 1
    assert NatsAddress.parse("nats://host?replicas=3").replicas == 3
