"""A private OpenID provider that is not ours: nanoidp, in a virtual environment of its own, `.venv-nanoidp`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tests.support.rabbitmq import free_ports

VERSION = "3.4.0"
AUDIENCE = "ewms"
CLIENT, SECRET = "ewms-cli", "not-a-secret"
PASSWORD = "not-a-password"
_ENVIRONMENT = Path(__file__).parents[2] / ".venv-nanoidp"
_START_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl
_SETTINGS = f"""
config_version: 1
server: {{host: "127.0.0.1", port: PORT}}
oauth:
  issuer: "http://127.0.0.1:PORT"
  audience: "{AUDIENCE}"
  clients: [{{client_id: "{CLIENT}", client_secret: "{SECRET}", description: "tests"}}]
"""
_USERS = f"""
config_version: 1
users:
  ada: {{password: "{PASSWORD}", roles: ["USER"], groups: ["astronomers"], tenant: "default"}}
  grace: {{password: "{PASSWORD}", roles: ["ADMIN"], groups: [], tenant: "default"}}
  eve: {{password: "{PASSWORD}", roles: [], groups: [], tenant: "default"}}
"""


def program() -> Path:
    """Where it should be: `EWMS_NANOIDP`, or in `.venv-nanoidp` of the repository."""
    return Path(os.environ.get("EWMS_NANOIDP", _ENVIRONMENT / "bin" / "nanoidp"))


def why_not() -> str | None:
    """Why it cannot be started here."""
    if not program().exists():
        return (
            f"nanoidp is not installed; python3 -m venv {_ENVIRONMENT} && {_ENVIRONMENT}/bin/pip install nanoidp=={VERSION}"
        )
    return None


@contextlib.contextmanager
def nanoidp(folder: Path) -> Iterator[str]:
    """Its URL, as long as the block runs; `ada`, `grace` and `eve` are known there."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "settings.yaml").write_text(_SETTINGS.replace("PORT", str(port)))
    (folder / "config" / "users.yaml").write_text(_USERS)
    with (folder / "out.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program()), "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL)),  # noqa: PLW1509
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url):
            assert process.poll() is None, (folder / "out.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"nanoidp is not ready after {_START_SECONDS} s"
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def token_of(url: str, user: str) -> str:
    """An access token of a user."""
    form = {"grant_type": "password", "username": user, "password": PASSWORD, "scope": "openid"}
    answer = httpx2.post(f"{url}/token", data=form, auth=(CLIENT, SECRET))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/.well-known/openid-configuration").status_code == 200
    return False
