"""The device authorization grant, against a provider that says what a test wants it to say."""

from __future__ import annotations

import pytest

from ewms.client import login as login_module
from ewms.client.connection import Connection
from ewms.client.login import Prompt, Provider, renew
from ewms.client.tokens import Login
from ewms.core.errors import Forbidden, UsageError
from tests.support.stand_in import Answer, StandIn

PENDING = Answer({"error": "authorization_pending"}, 400)
TOKENS = Answer({"access_token": "fresh", "expires_in": 600, "refresh_token": "later"})


@pytest.fixture(autouse=True)
def _no_slowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_module, "_SLOWER_SECONDS", 0.01)


@pytest.fixture
def provider(service: StandIn) -> StandIn:
    url = service.url
    service.answer("GET /api/about", Answer({"login": {"issuer": url, "client_id": "ewms", "scope": "openid jobs"}}))
    endpoints = {"device_authorization_endpoint": f"{url}/device", "token_endpoint": f"{url}/token"}
    service.answer("GET /.well-known/openid-configuration", Answer({"issuer": url, **endpoints}))
    begun = {"device_code": "DC", "user_code": "AB-CD", "verification_uri": f"{url}/enter", "interval": 0.01}
    service.answer("POST /device", Answer({**begun, "verification_uri_complete": f"{url}/enter?c=AB-CD", "expires_in": 5}))
    return service


def log_in(connection: Connection) -> tuple[list[Prompt], Login]:
    shown: list[Prompt] = []
    found, scope = Provider.of(connection)
    return shown, found.log_in(scope, shown.append)


def test_a_login(provider: StandIn, connection: Connection) -> None:
    provider.answer("POST /token", PENDING, Answer({"error": "slow_down"}, 400), TOKENS)
    shown, login = log_in(connection)
    assert (shown[0].code, shown[0].url) == ("AB-CD", f"{provider.url}/enter")
    assert (login.token, login.refresh_token, login.is_fresh) == ("fresh", "later", True)
    assert provider.asked_for("POST /device")[0].form == {"client_id": "ewms", "scope": "openid jobs"}
    polls = provider.asked_for("POST /token")
    assert len(polls) == 3
    assert polls[0].form["device_code"] == "DC"
    assert "Authorization" not in polls[0].headers, "the service's token is none of the provider's business"


@pytest.mark.parametrize(
    ("answer", "complaint"), [("access_denied", "refused in the browser"), ("expired_token", "not.*|nobody agreed")]
)
def test_a_user_who_does_not_agree(provider: StandIn, connection: Connection, answer: str, complaint: str) -> None:
    provider.answer("POST /token", PENDING, Answer({"error": answer}, 400))
    with pytest.raises(Forbidden, match=complaint):
        log_in(connection)


def test_a_provider_that_refuses(provider: StandIn, connection: Connection) -> None:
    provider.answer("POST /device", Answer({"error": "invalid_client", "error_description": "who are you?"}, 401))
    with pytest.raises(UsageError, match=r"refuses the login: who are you\?"):
        log_in(connection)


def test_a_provider_under_another_name(provider: StandIn, connection: Connection) -> None:
    endpoints = {"device_authorization_endpoint": f"{provider.url}/device", "token_endpoint": f"{provider.url}/token"}
    provider.answer("GET /.well-known/openid-configuration", Answer({"issuer": "https://evil.example.org", **endpoints}))
    with pytest.raises(UsageError, match="calls itself"):
        log_in(connection)


def test_endpoints_without_encryption_are_refused(provider: StandIn, connection: Connection) -> None:
    endpoints = {"device_authorization_endpoint": "http://far.example.org/d", "token_endpoint": f"{provider.url}/token"}
    provider.answer("GET /.well-known/openid-configuration", Answer({"issuer": provider.url, **endpoints}))
    with pytest.raises(UsageError, match="use https"):
        log_in(connection)


def test_a_provider_without_this_login(provider: StandIn, connection: Connection) -> None:
    provider.answer("GET /.well-known/openid-configuration", Answer({"issuer": provider.url}))
    with pytest.raises(UsageError, match="no login from a terminal"):
        log_in(connection)


def test_a_service_that_makes_its_tokens_itself(service: StandIn, connection: Connection) -> None:
    service.answer("GET /api/about", Answer({"login": None}))
    with pytest.raises(UsageError, match=r"`ewms token`.*EWMS_TOKEN_FILE"):
        Provider.of(connection)


def test_renewal(provider: StandIn, connection: Connection) -> None:
    provider.answer("POST /token", TOKENS, Answer({"access_token": "second", "expires_in": 60}))
    _, login = log_in(connection)
    renewed = renew(login)
    assert (renewed.token, renewed.refresh_token) == ("second", "later")
    form = {"grant_type": "refresh_token", "refresh_token": "later", "client_id": "ewms"}
    assert provider.asked_for("POST /token")[-1].form == form


def test_a_login_that_has_ended(provider: StandIn, connection: Connection) -> None:
    provider.answer("POST /token", TOKENS, Answer({"error": "invalid_grant"}, 400))
    _, login = log_in(connection)
    with pytest.raises(Forbidden, match="run `ewms login` again"):
        renew(login)
