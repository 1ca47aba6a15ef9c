"""Opens the access control of a service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2

from ewms.brokers.base import Broker
from ewms.core.service.configuration import Configuration
from ewms.stores.store import Store
from ewms.wms.access.access import Access
from ewms.wms.access.exposure import check_exposure
from ewms.wms.access.issuers import issuer_for
from ewms.wms.access.local_tokens import provide_tokens
from ewms.wms.access.minted import MintedTokens
from ewms.wms.access.provider import Provider

_PROVIDER_SECONDS = 5.0
"""For which the OpenID provider is waited for."""


@asynccontextmanager
async def open_access(configuration: Configuration, store: Store, broker: Broker) -> AsyncIterator[Access]:
    """The access control; ends with the block.

    Raises
    ------
    InputError
        The service would let strangers in, or no credentials can be issued for its broker.
    """
    check_exposure(configuration)
    access = configuration.access
    minted = MintedTokens(store, time.time)
    async with AsyncExitStack() as stack:
        credentials = issuer_for(configuration, broker.capabilities)
        stack.push_async_callback(credentials.close)
        provider: Provider | None = None
        if access.issuer:
            client = await stack.enter_async_context(httpx2.AsyncClient(timeout=_PROVIDER_SECONDS))
            provider = Provider(access, client)
            stack.push_async_callback(provider.close)
        else:
            await provide_tokens(minted, configuration.service.data / "secrets")
        yield Access(
            minted=minted,
            provider=provider,
            credentials=credentials,
            is_open=access.anonymous,
            public_url=configuration.service.public_url,
        )
