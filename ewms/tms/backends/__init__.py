"""Backends of a TMS, behind one contract: this machine, HTCondor, and those of other distributions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from ewms.core.errors import InputError
from ewms.core.service.complaint import complaint
from ewms.tms.backend import Backend

GROUP = "ewms.backends"
"""Entry points of further backends: name to a subclass of `Backend`."""
_OWN = {"local": "ewms.tms.backends.local:LocalBackend", "htcondor": "ewms.tms.backends.htcondor:HtcondorBackend"}


def backend_class(name: str, where: str) -> type[Backend]:
    """The backend of that name; `InputError` if there is none, or what it needs is not installed.

    Parameters
    ----------
    where
        The table that names it, for the message.
    """
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    known = others | _OWN
    if name not in known:
        raise InputError(f"{where}: backend = {name!r} is unknown; use one of {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    try:
        found: type[Backend] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise InputError(
            f'{where}: backend = {name!r} needs {error.name}, which is not installed; pip install "ewms[{name}]"'
        ) from error
    return found


def backend_settings(kind: type[Backend], table: Mapping[str, Any], where: str) -> BaseModel:
    """What a table of the configuration sets; `InputError` naming the key that is wrong, without its value."""
    try:
        return kind.Settings.model_validate(dict(table))
    except ValidationError as error:
        raise InputError(f"{where}: {complaint(error, kind.Settings)}") from None
