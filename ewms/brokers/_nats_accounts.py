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
from ewms.brokers.nats_login import NatsLogin
from ewms.core.errors import InputError
from ewms.secret_file import read_secret_file, write_secret_file

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
        self._write_login("service", self.queues, server)
        self._write_login("system", self.system, server)
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

    @property
    def service_url(self) -> str:
        """URL of a user who may do everything with queues, once logins were written."""
        return read_secret_file(self.folder / "service.url")

    def _seeds(self) -> _Seeds:
        path = self.folder / "keys.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Seeds)
        except FileNotFoundError:
            pass  # the first start
        except msgspec.MsgspecError as error:  # with other keys the queues would be empty
            raise InputError(f"the broker's keys in {path} are damaged; restore the file from a backup") from error
        kinds = (OPERATOR, ACCOUNT, ACCOUNT, ACCOUNT)
        seeds = _Seeds(*(Key.made_of(secrets.token_bytes(32), kind).seed for kind in kinds))
        write_secret_file(path, msgspec.json.encode(seeds).decode())
        return seeds

    def _write_login(self, name: str, account: Key, server: str) -> None:
        """Write a URL with everything that its user needs: the user of the last time, if there was one."""
        path = self.folder / f"{name}.url"
        login: NatsLogin | None = None
        with contextlib.suppress(InputError):
            login = NatsLogin.of(read_secret_file(path).partition("://")[2].rpartition("@")[0])
        if login is None:
            user, claims = Key.made_of(secrets.token_bytes(32), USER), user_claims(_EVERYTHING, _EVERYTHING)
            identity = secrets.token_hex(16)
            token = account.token(user.id, claims, name=f"ewms-{name}", identity=identity, issued=_now())
            login = NatsLogin(token=token, seed=user.seed)
        write_secret_file(path, login.url(server))

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


def _now() -> int:
    return int(time.time())
