"""What the owner of an access point sets: the table of an HTCondor cluster in `ewms.toml`."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_KEY = re.compile(r"(?:[+]|My\.)?[A-Za-z_][A-Za-z0-9_]*", re.IGNORECASE)
_OURS = frozenset({
    "arguments", "error", "executable", "initialdir", "kill_sig", "log", "log_xml", "max_materialize", "on_exit_hold",
    "output", "periodic_release", "periodic_remove", "queue", "should_transfer_files", "transfer_executable",
    "transfer_input_files", "transfer_output_files", "universe", "want_graceful_removal",
})  # fmt: skip


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImagePilot(_Table):
    """The slot gets the pilot as a container image that holds `ewms` and what consumers need."""

    kind: Literal["image"]
    """By which it is known."""
    image: str
    """`docker://…`, a `.sif` or a folder such as one on CVMFS; `{tag}` is replaced by the taskforce's."""
    command: tuple[str, ...] = ()
    """Program in the image and its first arguments; empty for the image's own entry point."""
    transfer: bool = False
    """Whether HTCondor carries the image to the slot, which a path on CVMFS does not need."""


class BundlePilot(_Table):
    """The slot gets the pilot as one file, made by `ewms pilot bundle`."""

    kind: Literal["bundle"]
    """By which it is known."""
    path: str
    """Where it lies on the access point."""


class PythonPilot(_Table):
    """Slots have a Python with `ewms` at the same path, by a shared file system or because they are on this machine."""

    kind: Literal["python"] = "python"
    """By which it is known."""
    python: str = sys.executable
    """The interpreter, as slots see it."""


Pilot = Annotated[ImagePilot | BundlePilot | PythonPilot, Field(discriminator="kind")]


class HtcondorSettings(_Table):
    """How a TMS uses one HTCondor access point."""

    config: str = ""
    """HTCondor's own configuration file; empty for `CONDOR_CONFIG` or the system's. One for all clusters of a process."""
    schedd: str = ""
    """Name of the schedd; empty for the one on this machine. It must see our files: it reads and writes in our folder."""
    pilot: Pilot = PythonPilot()
    """How the pilot comes to the slot."""
    requirements: str = ""
    """A ClassAd expression that every slot must meet, beside the user's own."""
    accounting_group: str = ""
    """HTCondor's, for taskforces that name none."""
    accounting_group_user: str = ""
    """Whom their usage is charged to; empty for the account of the TMS."""
    environment: dict[str, str] = {}
    """Variables of every pilot. Anybody who may look into the queue can read them: no secrets."""
    submit: dict[str, str] = {}
    """Further submit commands, such as `+ProjectName`; not those that ewms needs to have its own way."""
    hold_seconds: float = Field(default=60.0, ge=0)
    """Seconds after which a worker that failed, or that HTCondor put on hold, is tried again."""
    max_tries: int = Field(default=5, ge=1)
    """Starts of one worker after which it is replaced by another instead."""
    admin_hold_seconds: float = Field(default=300.0, ge=0)
    """Seconds after which a worker that a person put on hold is replaced by another."""

    @field_validator("submit")
    @classmethod
    def _check_submit(cls, value: dict[str, str]) -> dict[str, str]:
        for key, text in value.items():
            if not _KEY.fullmatch(key):
                raise ValueError(f"{key!r} is no submit command")
            if key.lower() in _OURS:
                raise ValueError(f"'{key}' is set by ewms itself and cannot be changed here")
            if "\n" in text:
                raise ValueError(f"the value of '{key}' has more than one line")
        return value
