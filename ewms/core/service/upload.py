"""An upload's document: whoever has sent a content may use it by its sha256."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from ewms.core.service.files import CODE, CONTEXT, INPUTS

_LONGEST_NAME = 500
_is_part = re.compile(r"[^\x00-\x1f\x7f/\\]+").fullmatch
_is_sha256 = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch


def check_upload_name(name: str) -> str:
    """The name itself; `ValueError` if it is no plain relative path below `code/`, `inputs/` or `context/`."""
    parts = name.split("/")
    if len(name) > _LONGEST_NAME or any(part in {"", ".", ".."} or not _is_part(part) for part in parts):
        raise ValueError(f"{name!r:.100} is no plain relative path")
    if not name.startswith((CODE, INPUTS, CONTEXT)):
        raise ValueError(f"{name!r:.100} has no place; name it {CODE}…, {INPUTS}… or {CONTEXT}…")
    return name


def check_sha256(digest: str) -> str:
    """The digest itself; `ValueError` if it is not 64 hexadecimal digits."""
    if not _is_sha256(digest):
        raise ValueError(f"{digest!r:.100} is no sha256; write its 64 hexadecimal digits in small letters")
    return digest


UploadName = Annotated[str, AfterValidator(check_upload_name)]
Sha256 = Annotated[str, AfterValidator(check_sha256)]


class UploadDocument(BaseModel):
    """One content that one owner has sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    """Who."""
    sha256: str
    """Of the content, in hexadecimal digits."""
    size: int
    """Bytes."""
    timestamp: float
    """When, seconds since 1970."""

    @property
    def key(self) -> str:
        """Its key in the store."""
        return upload_key(self.owner, self.sha256)


def upload_key(owner: str, sha256: str) -> str:
    """The key of an owner's upload."""
    return f"{sha256}/{owner}"
