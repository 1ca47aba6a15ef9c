"""What a driver host is told."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class HostSettings(BaseModel):
    """Where everything is, and how much to take on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: SecretStr
    """URL of the service's store."""
    broker: SecretStr
    """URL of the broker, with rights to make queues."""
    files: str
    """Folder or fsspec URL of the service's files."""
    blobs: str = ""
    """Folder or fsspec URL for bodies too large for the broker, which pilots can reach; empty where there is none."""
    folder: Path
    """For working copies of uploads; what is in it may go at any time."""
    lease: float = Field(default=60.0, ge=0.5)
    """Seconds after which the loss of a pilot, or of another driver host, is noticed."""
    name: str = Field(default_factory=socket.gethostname)
    """What people call this host."""
    preload: tuple[str, ...] = ()
    """Names of installed applications to be loaded at the start."""
    max_workflows: int = Field(default=1000, ge=1)
    """Driven at once, at most."""
