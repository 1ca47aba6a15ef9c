"""Where webhooks may lead: not into the network of the service, unless its configuration allows it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from ewms.core.errors import InputError

Networks = Sequence[IPv4Network | IPv6Network]
"""Private networks to which webhooks may lead all the same."""
_PORTS = {"http": 80, "https": 443}


def check_webhook(url: str, allowed: Networks) -> SplitResult:
    """The parts of a webhook's URL, as far as it can be judged without looking its host up; `InputError` otherwise."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"webhook {url!r:.200} is no URL; write https://host/path") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise InputError(f"webhook {url!r:.200} is no URL; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise InputError("a webhook's URL holds no user and password, for it is shown; the receiver checks the signature")
    try:
        address = ip_address(parts.hostname)
    except ValueError:
        return parts
    _check(address, parts.hostname, allowed)
    return parts


async def resolved(parts: SplitResult, allowed: Networks) -> str:
    """The address to connect to for a webhook; `InputError` where its host is unknown, or any address of it is private.

    The caller connects to this very address: a name that is looked up again may lead elsewhere.
    """
    host = parts.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise InputError(f"the webhook's host {host:.200} is not found: {error}") from None
    addresses = [ip_address(entry[4][0]) for entry in found]
    for address in addresses:
        _check(address, host, allowed)
    return str(addresses[0])


def _check(address: IPv4Address | IPv6Address, host: str, allowed: Networks) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    is_private = not address.is_global or address.is_multicast
    if is_private and not any(address.version == network.version and address in network for network in allowed):
        raise InputError(
            f"webhook host {host:.200} is in a private network ({address}); an operator may allow it by [webhooks] allow ="
        )
