"""What a service refuses to start with, and which configurations of access are wrong by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration, parse_configuration
from ewms.wms.access.exposure import check_exposure

TLS = {"certificate": "/etc/ewms/cert.pem", "key": "/etc/ewms/key.pem"}
OPEN = {"anonymous": True}
PROXIED = {"behind_proxy": True}
ROLES = {"roles": {"user": ["groups=/users"]}}


def configuration(service: dict[str, Any], access: dict[str, Any]) -> Configuration:
    service = {"data": "/var/lib/ewms", "listen": "127.0.0.1:8080", **service}
    return parse_configuration({"service": service, "access": access}, "ewms.toml", lambda name: Path(name).name)


@pytest.mark.parametrize(
    ("service", "access"),
    [
        ({}, {}),
        ({}, OPEN),
        ({"listen": "[::1]:8080"}, OPEN),
        ({"listen": "localhost:8080"}, OPEN),
        ({"url": "http://localhost:8080"}, OPEN),
        (TLS, OPEN),
        ({}, PROXIED),
        ({"url": "https://ewms.observatory.example"}, PROXIED),
        ({"listen": "0.0.0.0:443", **TLS}, {}),
        ({"listen": "10.0.0.7:8080"}, PROXIED),
        ({"listen": "[::]:443", **TLS}, {"issuer": "https://login.example", "audience": "ewms", **ROLES}),
    ],
)
def test_what_is_safe_starts(service: dict[str, Any], access: dict[str, Any]) -> None:
    check_exposure(configuration(service, access))
    assert configuration(service, access).access.anonymous is access.get("anonymous", False)


@pytest.mark.parametrize(
    ("service", "access", "telling"),
    [
        ({"listen": "0.0.0.0:8080"}, {}, "in clear; set certificate and key"),
        ({"listen": "[::]:8080"}, {}, "in clear"),
        ({"listen": "ewms.observatory.example:8080"}, {}, "in clear"),
        ({"listen": "0.0.0.0:8080"}, OPEN, "everybody who reaches 0.0.0.0:8080"),
        ({"listen": "0.0.0.0:8080", **TLS}, OPEN, "everybody who reaches"),
        ({"listen": "10.0.0.7:8080"}, {**OPEN, **PROXIED}, "everybody who reaches"),
        ({}, {**OPEN, **PROXIED}, "whom a proxy passes on"),
        ({"url": "https://ewms.observatory.example"}, OPEN, "whom a proxy passes on"),
    ],
)
def test_what_lets_strangers_in_does_not(service: dict[str, Any], access: dict[str, Any], telling: str) -> None:
    with pytest.raises(InputError, match=telling) as caught:
        check_exposure(configuration(service, access))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("access", "telling"),
    [
        ({"issuer": "http://login.example", "audience": "ewms", **ROLES}, "must be an https URL"),
        ({"issuer": "https://login.example", **ROLES}, "needs an audience"),
        ({"issuer": "https://login.example", "audience": "ewms"}, r"needs \[access.roles\]"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"roles": {"user": ["groups"]}}, "is no condition; write claim=value"),
        ({"roles": {"king": ["groups=/kings"]}}, "unknown key 'access.roles.king'"),
        ({"leeway": 3600}, "leeway"),
        ({"nats": {"account": "SAAIE"}}, "a secret is not written here"),
        ({"rabbitmq": {"management": "http://me:secret@host:15672"}}, "management"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(access: dict[str, Any], telling: str) -> None:
    with pytest.raises(InputError, match=telling) as caught:
        configuration({}, access)
    assert "\n" not in str(caught.value)
    assert "secret@" not in str(caught.value)
