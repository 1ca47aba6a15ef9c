"""Reads `ewms.toml`, and the secrets that it refers to."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration, parse_configuration
from ewms.core.service.secret import ENVIRONMENT, FILE
from ewms.secret_file import read_secret_file

DEFAULT_DATA = "ewms-data"
"""Name of the data folder where none is given: below the current folder."""


def read_configuration(
    path: Path | None, *, data: Path | None = None, port: int | None = None, secrets: bool = True
) -> Configuration:
    """The configuration in a file; None for the defaults.

    Parameters
    ----------
    data
        Data folder in place of the file's, relative to the current one; relative ones in the file are relative to it.
    port
        To listen at, in place of the file's.
    secrets
        Read those that the file names. A process that needs none of them, such as a TMS, need not be able to.

    Raises
    ------
    InputError
        In one line, for a file that cannot be read or is wrong.
    """
    document = {} if path is None else _read(path)
    service = document.setdefault("service", {})
    if isinstance(service, dict):
        _place(service, data, path)
        if port is not None:
            host = str(service.get("listen", "127.0.0.1:0")).rpartition(":")[0]
            service["listen"] = f"{host}:{port}"
    return parse_configuration(document, str(path or "the configuration"), read_secret if secrets else _unread)


def _place(service: dict[str, Any], data: Path | None, path: Path | None) -> None:
    """Make the folder of a `[service]` table absolute."""
    if data is not None:
        service["data"] = str(data.absolute())
        return
    folder = Path.cwd() if path is None else path.absolute().parent
    given = service.get("data", DEFAULT_DATA)
    if isinstance(given, str):
        service["data"] = str(folder / given)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise InputError(f"configuration {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration {path} is not valid TOML: {error}") from error


def _unread(reference: str) -> str:
    return ""


def read_secret(reference: str) -> str:
    """What `file:/path` or `env:NAME` names, without the spaces around it; `ValueError` with the reason."""
    if reference.startswith(ENVIRONMENT):
        name = reference.removeprefix(ENVIRONMENT)
        if name not in os.environ:
            raise ValueError(f"the environment has no variable {name}; set it, or name a file by file:/path")
        return os.environ[name].strip()
    path = Path(reference.removeprefix(FILE))
    if not path.is_absolute():
        raise ValueError(f"{reference} is relative; write file: with the whole path")
    try:
        return read_secret_file(path)
    except InputError as error:
        raise ValueError(str(error)) from None
