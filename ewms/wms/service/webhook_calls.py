"""One call of a webhook: signed, to an address that was checked, without following anybody elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl

import httpx2
import pydantic_core

from ewms.core.errors import InputError
from ewms.core.service.delivery import Delivery
from ewms.wms.service.webhook_addresses import Networks, check_webhook, resolved

SIGNATURE = "X-Ewms-Signature"
"""`sha256=` and the HMAC of timestamp, a dot and the body."""
TIMESTAMP = "X-Ewms-Timestamp"
"""When it was sent, seconds since 1970: part of what is signed, so that nobody can send it again much later."""
DELIVERY = "X-Ewms-Delivery"
"""The same at each attempt."""
_SECONDS = 10.0


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What a receiver compares with, by `hmac.compare_digest`."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class WebhookClient:
    """Calls webhooks; to be closed.

    Parameters
    ----------
    secret
        Signs.
    allowed
        Private networks that may be called.
    tls
        For https; None for the certificates that the system trusts.
    """

    def __init__(self, secret: bytes, allowed: Networks, tls: ssl.SSLContext | None = None) -> None:
        self._secret = secret
        self._allowed = allowed
        self._http = httpx2.AsyncClient(
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
            verify=True if tls is None else tls,
            # A connection is known by its address alone, and two hosts may share one.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """End its connections."""
        await self._http.aclose()

    async def call(self, delivery: Delivery, now: float) -> str:
        """Tell of a change of state; why that failed, or nothing."""
        body = pydantic_core.to_json(
            {
                "delivery_id": delivery.delivery_id,
                "workflow_id": delivery.workflow_id,
                "name": delivery.name,
                "owner": delivery.owner,
                **delivery.entry.model_dump(mode="json"),
            }
        )
        return await self.post(delivery.url, body, delivery.delivery_id, now)

    async def post(self, url: str, body: bytes, delivery_id: str, now: float) -> str:
        """Deliver any JSON; why that failed, or nothing.

        Parameters
        ----------
        delivery_id
            The same at each attempt.
        now
            Seconds since 1970.
        """
        try:
            async with asyncio.timeout(2 * _SECONDS):
                return await self._post(url, body, delivery_id, str(int(now)))
        except InputError as error:
            return str(error)
        except TimeoutError:
            return f"no answer in {2 * _SECONDS:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return str(error) or type(error).__name__

    async def _post(self, address: str, body: bytes, delivery_id: str, timestamp: str) -> str:
        parts = check_webhook(address, self._allowed)
        url = httpx2.URL(address)
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            SIGNATURE: signature(self._secret, timestamp, body),
            TIMESTAMP: timestamp,
            DELIVERY: delivery_id,
        }
        there = url.copy_with(host=await resolved(parts, self._allowed))
        name = {"sni_hostname": parts.hostname}  # whose certificate it must be
        # Only the status counts. The body is not read: it may be endless.
        async with self._http.stream("POST", there, content=body, headers=headers, extensions=name) as answer:
            return "" if answer.is_success else f"it answered {answer.status_code}"
