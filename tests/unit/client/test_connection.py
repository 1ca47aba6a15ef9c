"""Requests, their repetition, and refusals in words."""

from __future__ import annotations

import pytest

from ewms.client.connection import Connection, ServiceBusy, ServiceUnavailable, checked_url
from ewms.core.errors import Conflict, EwmsError, Forbidden, InputError, NotFound, UsageError
from tests.support.stand_in import Answer, StandIn


def error(code: int, text: str) -> Answer:
    return Answer({"code": code, "error": text}, code)


def test_the_token_goes_with_every_request(service: StandIn, connection: Connection) -> None:
    service.answer("GET /thing", Answer({"found": 1}))
    assert connection.get("/thing", after=None, limit=3) == {"found": 1}
    assert service.asked[0].headers["Authorization"] == "Bearer secret"
    assert service.asked[0].query == {"limit": "3"}


def test_without_a_token_there_is_no_header(service: StandIn) -> None:
    service.answer("GET /thing", Answer({}))
    with Connection(service.url) as connection:
        connection.get("/thing")
    assert "Authorization" not in service.asked[0].headers


def test_a_service_that_restarts_is_waited_for(service: StandIn, connection: Connection) -> None:
    service.answer("POST /thing", Answer({}), error(503, "starting"), error(502, "gateway"), Answer({"made": True}))
    connection.post("/thing", {"n": 1})
    assert connection.post("/thing", {"n": 2}) == {"made": True}
    assert [asked.json()["n"] for asked in service.asked] == [1, 2, 2, 2]


def test_a_service_that_never_answered_is_soon_given_up(service: StandIn) -> None:
    url = service.url
    service.answer("GET /thing", error(503, "starting"))
    with (
        Connection(url, patience=0.3) as connection,
        pytest.raises(ServiceUnavailable, match=r"not ready \(503: starting\)"),
    ):
        connection.get("/thing")


def test_nobody_there() -> None:
    complaint = r"no service answers at http://127\.0\.0\.1:9 .*; check the address"
    with Connection("http://127.0.0.1:9", patience=0.2) as connection, pytest.raises(ServiceUnavailable, match=complaint):
        connection.get("/thing")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (400, InputError, "the key is wrong"),
        (401, Forbidden, "the key is wrong; run `ewms login"),
        (403, Forbidden, "the key is wrong"),
        (404, NotFound, "the key is wrong"),
        (409, Conflict, "the key is wrong"),
        (413, InputError, "the key is wrong"),
        (418, UsageError, "no ewms service of this version"),
        (500, EwmsError, "failed"),
    ],
)
def test_a_refusal_is_one_line(
    service: StandIn, connection: Connection, code: int, kind: type[EwmsError], said: str
) -> None:
    service.answer("GET /thing", error(code, "the key is wrong"))
    with pytest.raises(EwmsError, match=said) as raised:
        connection.get("/thing")
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    assert len(service.asked) == 1, "a refusal is no reason to ask again"


def test_a_busy_service_is_told_apart(service: StandIn) -> None:
    service.answer("POST /events", error(429, "the window is full"))
    with Connection(service.url, patience=0.2) as connection, pytest.raises(ServiceBusy, match="the window is full"):
        connection.post("/events")


def test_something_else_listens_there(service: StandIn, connection: Connection) -> None:
    service.answer("GET /thing", Answer(b"<html>hello</html>", content_type="text/html"))
    with pytest.raises(UsageError, match="is no ewms service"):
        connection.get("/thing")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ewms.example.org", "no URL"),
        ("ftp://ewms.example.org", "no URL"),
        ("https://me:pw@ewms.example.org", "no password"),
        ("http://ewms.example.org", "use https"),
    ],
)
def test_urls_that_are_refused(url: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        checked_url(url)


def test_urls_that_are_taken() -> None:
    assert checked_url("https://ewms.example.org/") == "https://ewms.example.org"
    assert checked_url("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert checked_url("http://[::1]:8080") == "http://[::1]:8080"


def test_a_closed_one_says_so(service: StandIn) -> None:
    connection = Connection(service.url)
    connection.close()
    with pytest.raises(UsageError, match="was closed; connect again"):
        connection.get("/thing")
