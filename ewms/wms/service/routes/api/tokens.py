"""`/api/tokens`: the tokens that the service makes, for operators; as `ewms token` does."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from ewms.wms.access.caller import CallerOf
from ewms.wms.access.minted import TokenDocument
from ewms.wms.access.roles import Role
from ewms.wms.service.listing import Listing
from ewms.wms.service.state import State

router = APIRouter(prefix="/api/tokens", tags=["access"])
_DAY = 86_400.0
_NO_STORE = {"Cache-Control": "no-store"}
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="As the listing has it.")]


class NewToken(BaseModel):
    """A token that is to be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Annotated[str, Field(min_length=1, max_length=200)]
    """Whose it will be."""
    role: Role = Role.USER
    """What it lets them do."""
    label: Annotated[str, Field(max_length=200)] = ""
    """What to remember it by."""
    days: Annotated[float, Field(gt=0, le=36_500)] | None = None
    """How long it is good; null for ever."""


class MadeToken(BaseModel):
    """A token, shown this once."""

    model_config = ConfigDict(frozen=True)

    token: str
    """It itself; nobody can look it up again."""


class TokenEntry(BaseModel):
    """What is known of a token, but not the token itself."""

    model_config = ConfigDict(frozen=True)

    token_id: str
    """By which it is revoked."""
    owner: str
    """Whose it is."""
    role: Role
    """What it lets them do."""
    label: str
    """What they call it."""
    made: float
    """Seconds since 1970."""
    expires: float | None
    """Seconds since 1970; null for never."""

    @classmethod
    def of(cls, document: TokenDocument) -> TokenEntry:
        """What is shown of a document."""
        fields = document.model_dump(exclude={"sha256"})
        return cls(token_id=document.id, **fields)


@router.get("")
async def list_tokens(state: State, caller: CallerOf) -> Listing[TokenEntry]:
    """All that were not revoked, by owner."""
    entries = [TokenEntry.of(document) for document in await state.access.minted.listing()]
    return Listing(items=entries, total=len(entries))


@router.post("", status_code=201)
async def make_token(wanted: NewToken, response: Response, state: State, caller: CallerOf) -> MadeToken:
    """Make one for somebody. It is in this answer, and nowhere else."""
    response.headers.update(_NO_STORE)
    lifetime = None if wanted.days is None else wanted.days * _DAY
    return MadeToken(token=await state.access.minted.mint(wanted.owner, wanted.role, label=wanted.label, lifetime=lifetime))


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: TokenId, state: State, caller: CallerOf) -> Response:
    """Have one taken no more, from the next request on."""
    await state.access.minted.revoke(token_id)
    return Response(status_code=204)
