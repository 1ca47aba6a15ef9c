"""The `[clusters.NAME]` tables: where pilots can be made to exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_OWN = frozenset({"backend", "max_workers", "aliases"})


class ClusterConfiguration(BaseModel):
    """One cluster. What is not listed here belongs to its backend, and is checked by it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    """`local`, `htcondor` or the name of a plugin's."""
    max_workers: int = Field(default=1000, ge=1)
    """Most workers at a time, over all taskforces."""
    aliases: tuple[str, ...] = ()
    """Further names by which requests may call it."""
    options: dict[str, Any] = {}
    """The rest of the table, as it is: keys of the backend."""

    @model_validator(mode="wrap")
    @classmethod
    def _split(cls, table: Any, handler: Any) -> Self:
        if isinstance(table, Mapping):
            rest = {key: value for key, value in table.items() if key not in _OWN}
            table = {key: value for key, value in table.items() if key in _OWN} | {"options": rest}
        made: Self = handler(table)
        return made

    @property
    def schedd(self) -> str:
        """Name of its access point, as EWMS tells it; empty where it goes by the cluster's name."""
        return str(self.options.get("schedd", ""))
