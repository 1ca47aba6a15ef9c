"""The key that signs webhooks: the configuration's, or one that the service makes and keeps."""

from __future__ import annotations

import secrets

from ewms.core.service.configuration import Configuration
from ewms.secret_file import read_secret_file, write_secret_file

_NAME = "webhook.key"


def webhook_secret(configuration: Configuration) -> bytes:
    """The key; made at the first call, and the same after a restart."""
    if configuration.webhooks.secret is not None:
        return configuration.webhooks.secret.get_secret_value().encode()
    path = configuration.service.data / "secrets" / _NAME
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret_file(path, secrets.token_hex(32))
    return read_secret_file(path).encode()
