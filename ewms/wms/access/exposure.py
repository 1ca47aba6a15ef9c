"""What would let strangers in. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from ewms.core.addresses import is_loopback
from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration


def check_exposure(configuration: Configuration) -> None:
    """`InputError` for a service that would take orders from anybody, or tokens over a line that others can read."""
    service, access = configuration.service, configuration.access
    listen = service.listen
    is_local = is_loopback(service.address.host)
    is_reached_from_afar = not is_loopback(urlsplit(service.public_url).hostname or "")
    if access.anonymous and not is_local:
        raise InputError(
            f"[access] anonymous lets in everybody who reaches {listen}; remove it, or listen at 127.0.0.1 alone"
        )
    if access.anonymous and (access.behind_proxy or is_reached_from_afar):
        raise InputError("[access] anonymous lets in everybody whom a proxy passes on; remove it where there is a proxy")
    if not is_local and service.certificate is None and not access.behind_proxy:
        raise InputError(
            f"tokens would travel to {listen} in clear; set certificate and key under [service], "
            "or [access] behind_proxy = true where a proxy speaks TLS"
        )
