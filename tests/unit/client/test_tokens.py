"""Where the token comes from."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ewms.client.tokens import Login, Logins, token_source
from ewms.core.errors import InputError

URL = "https://ewms.example.org"


def login(token: str = "first", lasts: float = 3600.0, refresh: str = "again") -> Login:
    return Login(token=token, expires_at=time.time() + lasts, refresh_token=refresh, token_endpoint="e", client_id="c")


def never(_: Login) -> Login:
    raise AssertionError("there was nothing to renew")


@pytest.fixture
def logins(tmp_path: Path) -> Logins:
    return Logins(tmp_path / "conf" / "logins.json")


def test_the_variable_goes_first(logins: Logins, tmp_path: Path) -> None:
    logins.keep(URL, login())
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("from-file\n")
    both = {"EWMS_TOKEN": " direct ", "EWMS_TOKEN_FILE": str(path)}
    assert token_source(URL, never, environment=both, logins=logins)() == "direct"
    del both["EWMS_TOKEN"]
    source = token_source(URL, never, environment=both, logins=logins)
    assert source() == "from-file"
    path.write_text("replaced")
    assert source() == "replaced"


@pytest.mark.parametrize("content", ["", "two words", None])
def test_a_file_without_a_token(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.touch(mode=0o600)
        path.write_text(content)
    with pytest.raises(InputError, match="token"):
        token_source(URL, never, environment={"EWMS_TOKEN_FILE": str(path)})()


def test_nothing_at_all(logins: Logins) -> None:
    assert token_source(URL, never, environment={}, logins=logins)() == ""


def test_a_login_is_kept_for_its_user_alone(logins: Logins) -> None:
    logins.keep(URL, login())
    logins.keep("https://other.example.org", login("second"))
    assert logins.path.stat().st_mode & 0o777 == 0o600
    assert logins.path.parent.stat().st_mode & 0o777 == 0o700
    assert token_source(URL, never, environment={}, logins=logins)() == "first"
    logins.keep(URL, None)
    assert logins.find(URL) is None
    assert logins.find("https://other.example.org") is not None


def test_a_login_that_is_about_to_end_is_renewed_once(logins: Logins) -> None:
    logins.keep(URL, login(lasts=5.0))
    renewed: list[str] = []

    def renew(old: Login) -> Login:
        renewed.append(old.refresh_token)
        return login("second")

    source = token_source(URL, renew, environment={}, logins=logins)
    assert [source(), source()] == ["second", "second"]
    assert renewed == ["again"]


def test_a_login_that_others_may_read_is_refused(logins: Logins) -> None:
    logins.keep(URL, login())
    logins.path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        logins.find(URL)


def test_a_damaged_file(logins: Logins) -> None:
    logins.keep(URL, login())
    logins.path.write_text("{")
    with pytest.raises(InputError, match="remove it and log in again"):
        logins.find(URL)


def test_the_place_is_the_users_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Logins().path == tmp_path / "ewms" / "logins.json"
