"""The accounts of a NATS server of ours: one that has the queues, one for guests, one for the servers themselves.

The folder of the keys holds, for its owner alone: `keys.json` (all seeds), `accounts/` (what servers know of the accounts,
with what was revoked), and for the service `service.url`, `system.url`, `operator.seed` and `account.seed`.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

from ewms.brokers._nats_jwt import UNLIMITED, body_of, user_claims
from ewms.brokers._nats_keys import ACCOUNT, OPERATOR, USER, Key
from ewms.brokers._nats_permissions import exports, imports
from ewms.brokers.embedded import MAX_PAYLOAD
from ewms.secret_file import write_secret_file

_EVERYTHING = [">"]
_LIMITS = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), UNLIMITED)
_STORAGE = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), UNLIMITED)


class _Seeds(msgspec.Struct, frozen=True):
    operator: str
    system: str
    queues: str
    guests: str


class Accounts:
    """The keys of one server or cluster.

    Parameters
    ----------
    folder
        Where they are kept; made at the first time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seeds = self._seeds()
        self.operator, self.system = Key(seeds.operator), Key(seeds.system)
        self.queues, self.guests = Key(seeds.queues), Key(seeds.guests)

    def server_settings(self) -> str:
        """What a server's configuration says of them, after their tokens were written where the server looks for them."""
        tokens = self.folder / "accounts"
        tokens.mkdir(mode=0o700, exist_ok=True)
        self._write_account(tokens, self.system, "ewms-system", {})
        self._write_account(tokens, self.queues, "ewms-queues", {"limits": _STORAGE, "exports": exports()})
        self._write_account(tokens, self.guests, "ewms-guests", {"imports": imports(self.queues.id)})
        about = {"type": "operator", "system_account": self.system.id}
        operator = self.operator.token(self.operator.id, about, name="ewms", identity=secrets.token_hex(16), issued=_now())
        return (
            f"operator: {operator}\n"
            f"system_account: {self.system.id}\n"
            f"resolver {{ type: full, dir: {json.dumps(str(tokens))}, allow_delete: false }}\n"
        )

    def write_logins(self, server: str) -> None:
        """Leave what the service logs in with, and makes users with.

        Parameters
        ----------
        server
            URL of the server, without credentials.
        """
        write_secret_file(self.folder / "service.url", self.login(server))
        write_secret_file(self.folder / "system.url", _login(server, self.system, "ewms-system"))
        write_secret_file(self.folder / "operator.seed", self.operator.seed)
        write_secret_file(self.folder / "account.seed", self.guests.seed)

    def write_server(self, listen: str, settings: str, tls: tuple[Path, Path] | None) -> Path:
        """Write `nats.conf` of a server that others run; where it lies.

        Parameters
        ----------
        settings
            What `server_settings` says.
        tls
            Files with the certificate chain and its key.
        """
        lines = [
            f"listen: {json.dumps(listen)}",
            f"max_payload: {MAX_PAYLOAD}",
            f"jetstream {{ store_dir: {json.dumps(str(self.folder / 'jetstream'))}, sync_interval: always }}",
        ]
        if tls is not None:
            certificate, key = (json.dumps(str(path.absolute())) for path in tls)
            lines.append(f"tls {{ cert_file: {certificate}, key_file: {key} }}")
        path = self.folder / "nats.conf"
        write_secret_file(path, "\n".join(lines) + "\n" + settings)
        return path

    def login(self, server: str) -> str:
        """URL of a user who may do everything with queues."""
        return _login(server, self.queues, "ewms-service")

    def _seeds(self) -> _Seeds:
        path = self.folder / "keys.json"
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            return msgspec.json.decode(path.read_bytes(), type=_Seeds)
        kinds = (OPERATOR, ACCOUNT, ACCOUNT, ACCOUNT)
        seeds = _Seeds(*(Key.made_of(secrets.token_bytes(32), kind).seed for kind in kinds))
        write_secret_file(path, msgspec.json.encode(seeds).decode())
        return seeds

    def _write_account(self, folder: Path, account: Key, name: str, more: dict[str, Any]) -> None:
        """Tell servers of an account, as this version has it, and keep what was revoked."""
        path = folder / f"{account.id}.jwt"
        revocations: dict[str, int] = {}
        with contextlib.suppress(FileNotFoundError, ValueError):
            revocations = body_of(path.read_text())["nats"].get("revocations", {})
        limits = {**_LIMITS, "wildcards": True, **more.get("limits", {})}
        claims = {"type": "account", **more, "limits": limits, "revocations": revocations}
        token = self.operator.token(account.id, claims, name=name, identity=secrets.token_hex(16), issued=_now())
        write_secret_file(path, token)


def login_url(server: str, token: str, key: Key) -> str:
    """A broker URL with a user's token and key.

    Parameters
    ----------
    server
        URL of the server, without credentials.
    """
    scheme, _, rest = server.partition("://")
    return f"{scheme}://{token}:{key.seed}@{rest}"


def _login(server: str, account: Key, name: str) -> str:
    user = Key.made_of(secrets.token_bytes(32), USER)
    identity = secrets.token_hex(16)
    claims = user_claims(_EVERYTHING, _EVERYTHING)
    return login_url(server, account.token(user.id, claims, name=name, identity=identity, issued=_now()), user)


def _now() -> int:
    return int(time.time())
