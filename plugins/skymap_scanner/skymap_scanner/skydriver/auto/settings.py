"""What `[plugins.skydriver]` of `ewms.toml` says about automated scanning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ewms.services import InputError


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} is relative; write the whole path")
    return path


def _reference(text: str) -> str:
    if not text.startswith(("file:", "env:")):
        raise ValueError("a secret is not written here; write file:/path/of/a/file or env:NAME of a variable")
    return text


class AutoSettings(BaseModel):
    """Of automated scanning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Annotated[Path, AfterValidator(_absolute)] | None = None
    """The policy's file; left out, the policy that comes with the package."""
    watch: Annotated[Path, AfterValidator(_absolute)] | None = None
    """A folder into which alerts are put; left out, none is watched."""
    webhook_secret: Annotated[str, AfterValidator(_reference)] | None = None
    """`file:/path` or `env:NAME` of the secret that signs alerts sent by webhook; left out, none are taken so."""
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Whose scans of alerts are that came by folder or webhook; left out, the plugin's own."""
    partial_every: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] = 10.0
    """Seconds between partial results that are published of one scan."""


def parse_settings(table: Mapping[str, Any]) -> AutoSettings:
    """Read the settings among those of the plugin; `InputError` in one line that names the key."""
    try:
        return AutoSettings.model_validate({key: table[key] for key in AutoSettings.model_fields if key in table})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        said = first["ctx"]["error"] if first["type"] == "value_error" else first["msg"]
        raise InputError(f"[plugins.skydriver] {key}: {said}") from None
