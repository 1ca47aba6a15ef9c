"""`ewms token`, as somebody types it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ewms.cli.token import token as command
from ewms.core.errors import EwmsError, InputError, NotFound, Unauthenticated
from ewms.secret_file import read_secret_file
from ewms.stores.urls import store_for
from ewms.wms.access.caller import Caller
from ewms.wms.access.minted import MintedTokens
from ewms.wms.access.roles import Role


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A service's folder with a store."""
    asyncio.run(_make_store(tmp_path))
    return tmp_path


async def _make_store(folder: Path) -> None:
    async with store_for(str(folder / "store.sqlite")):
        pass


async def identify(data: Path, token: str) -> Caller:
    async with store_for(str(data / "store.sqlite")) as store:
        return await MintedTokens(store, time.time).identify(token)


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(data)])


def test_a_token_is_made_listed_and_revoked(data: Path) -> None:
    made = run(data, "create", "ada", "--role", "tms", "--label", "the grid", "--days", "2").output.strip()
    assert asyncio.run(identify(data, made)) == Caller(name="ada", role=Role.TMS)
    [listed] = json.loads(run(data, "list", "--json").output)
    assert listed["owner"] == "ada"
    assert 47 * 3600 < listed["expires"] - time.time() < 49 * 3600
    shown = run(data, "list").output
    assert all(word in shown for word in (listed["id"], "ada", "tms", "until", "the grid"))
    assert made not in shown + json.dumps(listed)
    assert run(data, "revoke", listed["id"]).exit_code == 0
    with pytest.raises(Unauthenticated):
        asyncio.run(identify(data, made))
    assert run(data, "list").output == ""


def test_a_token_may_go_to_a_file(data: Path) -> None:
    path = data / "mine.token"
    assert run(data, "create", "ada", "--out", str(path)).output == ""
    assert asyncio.run(identify(data, read_secret_file(path))).name == "ada"


@pytest.mark.parametrize(
    ("arguments", "kind", "telling"),
    [
        (("create", "ada", "--out", "/nonexistent/token"), InputError, "cannot be written to /nonexistent/token"),
        (("create", "a\nb"), InputError, "1 to 200 printable characters"),
        (("revoke", "0123"), NotFound, "there is no token 0123"),
    ],
)
def test_mistakes_are_told(data: Path, arguments: tuple[str, ...], kind: type[EwmsError], telling: str) -> None:
    error = run(data, *arguments).exception
    assert isinstance(error, kind)
    assert telling in str(error)


def test_no_store_is_made_in_the_wrong_place(tmp_path: Path) -> None:
    error = run(tmp_path / "elsewhere", "list").exception
    assert isinstance(error, InputError)
    assert "there is no store at" in str(error)
    assert not (tmp_path / "elsewhere").exists()
