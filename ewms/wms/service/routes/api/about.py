"""`/api/about`: what a client needs to know before it has a token."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from ewms import __version__
from ewms.wms.service.state import State

router = APIRouter(prefix="/api/about", tags=["service"])


class Login(BaseModel):
    """Where a person gets a token."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    """The OpenID provider."""
    client_id: str
    """By which clients of this service are known there."""
    scope: str
    """What they ask for."""


class Limits(BaseModel):
    """How much is taken at once."""

    model_config = ConfigDict(frozen=True)

    upload_bytes: int
    """Of one file."""
    request_bytes: int
    """Of any other request."""


class About(BaseModel):
    """The service, for clients."""

    model_config = ConfigDict(frozen=True)

    url: str
    """By which it is reached."""
    version: str
    """Of ewms."""
    open: bool
    """No tokens are wanted."""
    login: Login | None
    """Where to log in; null where an operator hands out tokens."""
    limits: Limits
    """How much it takes."""


@router.get("")
async def about(state: State) -> About:
    """The service, for clients."""
    access, service = state.configuration.access, state.configuration.service
    login = Login(issuer=access.issuer, client_id=access.client_id, scope=access.scope) if access.issuer else None
    return About(
        url=service.public_url,
        version=__version__,
        open=access.anonymous,
        login=login,
        limits=Limits(upload_bytes=service.max_upload, request_bytes=service.max_request),
    )
