"""RabbitMQ's management API, as far as users and their exchanges need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2

from ewms.brokers._rabbitmq_url import RabbitmqAddress
from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable

_SECONDS = 10.0


class Management:
    """A client of one server's or cluster's API.

    Parameters
    ----------
    url
        Of the API, without credentials.
    address
        Of the broker: as whom to log in, and which virtual host it is about.
    """

    def __init__(self, url: str, address: RabbitmqAddress) -> None:
        parts = urlsplit(address.servers[0])
        self._shown = url
        self._vhost = _quoted(address.vhost)
        self._client = httpx2.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=_SECONDS,
            verify=address.tls or True,
        )

    async def make_exchange(self, name: str) -> None:
        """A durable direct exchange; one that is there already stays."""
        await self._send("PUT", f"exchanges/{self._vhost}/{_quoted(name)}", {"type": "direct", "durable": True})

    async def bind_queue(self, exchange: str, queue: str) -> None:
        """Have what is published under a queue's name go there."""
        await self._send("POST", f"bindings/{self._vhost}/e/{_quoted(exchange)}/q/{_quoted(queue)}", {"routing_key": queue})

    async def bind_exchange(self, source: str, target: str, topic: str) -> None:
        """Have what is published under a topic go on to another exchange."""
        await self._send("POST", f"bindings/{self._vhost}/e/{_quoted(source)}/e/{_quoted(target)}", {"routing_key": topic})

    async def make_user(self, name: str, password: str, permissions: Mapping[str, str]) -> None:
        """A user without any rights but these, in this virtual host."""
        await self._send("PUT", f"users/{_quoted(name)}", {"password": password, "tags": ""})
        await self._send("PUT", f"permissions/{self._vhost}/{_quoted(name)}", dict(permissions))

    async def users(self) -> list[str]:
        """The names of all users."""
        return await self._names("users")

    async def exchanges(self) -> list[str]:
        """The names of all exchanges."""
        return await self._names(f"exchanges/{self._vhost}")

    async def delete_users(self, names: Sequence[str]) -> None:
        """Delete users, and end their connections."""
        if names:
            await self._send("POST", "users/bulk-delete", {"users": list(names)})

    async def delete_exchange(self, name: str) -> None:
        """Delete an exchange with its bindings. Idempotent."""
        await self._send("DELETE", f"exchanges/{self._vhost}/{_quoted(name)}")

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()

    async def _names(self, path: str) -> list[str]:
        answer = await self._send("GET", f"{path}?columns=name")
        return [item["name"] for item in answer.json()]

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise BrokerUnavailable(
                f"RabbitMQ's management API does not answer at {self._shown} ({error or type(error).__name__}); check the "
                "address, and rabbitmq-plugins enable rabbitmq_management"
            ) from error
        if answer.is_error and not (method == "DELETE" and answer.status_code == httpx2.codes.NOT_FOUND):
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: httpx2.Response) -> BrokerError:
        if answer.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
            return BrokerRejected(
                f"RabbitMQ's management API at {self._shown} denies the service's user to make users; "
                "rabbitmqctl set_user_tags USER administrator"
            )
        if answer.is_server_error:
            return BrokerUnavailable(f"RabbitMQ's management API at {self._shown} fails with code {answer.status_code}")
        return BrokerRejected(f"RabbitMQ's management API at {self._shown} refuses: {answer.text:.200}")


def _quoted(name: str) -> str:
    return quote(name, safe="")
