"""Secrets as they look in texts of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.redaction import redacted

SECRETS = [
    "ewms_" + "aB3_-" * 9,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEiLCJpYXQiOjF9.c2lnbmF0dXJlLW9mLWl0",
    "SUAMLK2ZNL35WSMW37E7UD4VZ7ELPKW7DHC3BWBSD2GCZ7IUQQXZIORRBU",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "frame", ["{}", "token={}", '{{"token":"{}"}}', "Authorization: Bearer {}", "x {} y", "nats://{}@host:4222"]
)
def test_secrets_are_taken_out(frame: str, secret: str) -> None:
    text = redacted(frame.format(secret))
    assert secret not in text
    assert "…" in text


def test_passwords_in_urls_are_taken_out_and_hosts_stay() -> None:
    assert (
        redacted("no answer from amqp://me:p%40ss@host:5672/v?heartbeat=5")
        == "no answer from amqp://…@host:5672/v?heartbeat=5"
    )


@pytest.mark.parametrize(
    "text", ["", "workflow_submitted", "WF-65000000-0a1b2c3d", "https://host/a@b", "ada@observatory.example", "SUM of"]
)
def test_other_texts_stay(text: str) -> None:
    assert redacted(text) == text


@given(before=st.text(max_size=20), after=st.text(max_size=20), secret=st.sampled_from(SECRETS))
def test_a_secret_is_found_wherever_it_stands_alone(before: str, after: str, secret: str) -> None:
    assert secret not in redacted(f"{before} {secret} {after}")
