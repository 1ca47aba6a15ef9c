"""Who may send alerts by webhook."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.services import Unauthenticated
from skymap_scanner.skydriver.auto.signature import WINDOW, check_signature, signature_of

NOW = 1_700_000_000.0


def test_it_is_as_github_signs() -> None:
    """The example of GitHub's documentation."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature_of(b"It's a Secret to Everybody", b"Hello, World!") == signature
    check_signature(b"It's a Secret to Everybody", b"Hello, World!", signature, None, NOW)


@given(st.binary(min_size=1), st.binary(), st.binary(min_size=1), st.binary())
def test_another_secret_or_body_does_not_fit(secret: bytes, body: bytes, other_secret: bytes, other_body: bytes) -> None:
    signature = signature_of(secret, body)
    check_signature(secret, body, signature, None, NOW)
    is_same = hmac.digest(secret, body, hashlib.sha256) == hmac.digest(other_secret, other_body, hashlib.sha256)
    if not is_same:
        with pytest.raises(Unauthenticated):
            check_signature(other_secret, other_body, signature, None, NOW)


@given(st.text(max_size=80) | st.none(), st.text(max_size=20) | st.none())
def test_whatever_is_sent_is_refused_in_words(signature: str | None, timestamp: str | None) -> None:
    with pytest.raises(Unauthenticated):
        check_signature(b"secret", b"body", signature, timestamp, NOW)


@pytest.mark.parametrize(
    ("off", "fits"), [(0, True), (WINDOW, True), (-WINDOW, True), (WINDOW + 1, False), (-WINDOW - 1, False)]
)
def test_what_was_sent_long_ago_is_refused(off: float, fits: bool) -> None:
    timestamp = str(int(NOW + off))
    signature = signature_of(b"secret", b"body", timestamp)
    if fits:
        check_signature(b"secret", b"body", signature, timestamp, NOW)
    else:
        with pytest.raises(Unauthenticated, match="off"):
            check_signature(b"secret", b"body", signature, timestamp, NOW)


@pytest.mark.parametrize("timestamp", ["nan", "inf", "1e9", "-5", "", " 1700000000", "1700000000\u0660"])
def test_a_timestamp_is_digits(timestamp: str) -> None:
    with pytest.raises(Unauthenticated):
        check_signature(b"secret", b"body", signature_of(b"secret", b"body", timestamp), timestamp, NOW)


def test_a_timestamp_can_neither_be_added_nor_left_out() -> None:
    timestamp = str(int(NOW))
    with pytest.raises(Unauthenticated):
        check_signature(b"secret", b"body", signature_of(b"secret", b"body"), timestamp, NOW)
    with pytest.raises(Unauthenticated):
        check_signature(b"secret", b"body", signature_of(b"secret", b"body", timestamp), None, NOW)
