"""Reads a policy: TOML, with one line for whatever is wrong in it."""

from __future__ import annotations

import hashlib
import tomllib
import typing
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from skymap_scanner.errors import ScanError
from skymap_scanner.skydriver.auto.nearest import nearest
from skymap_scanner.skydriver.auto.policy import Policy, ScanPlan

DEFAULT_NAME = "the default policy"
_MOST_BYTES = 1 << 20


class PolicyError(ScanError):
    """The policy cannot be used; see `skymap-scanner policy check`."""


class ReadPolicy(NamedTuple):
    """A policy, and which one it is."""

    policy: Policy
    """What to do."""
    version: str
    """First 12 digits of its text's sha256: alerts keep it, so that one can tell later by which policy they were scanned."""
    where: str
    """Its file, or what messages call it."""


def read_policy(path: Path | None) -> ReadPolicy:
    """The policy in a file; None for the one that comes with the package.

    Raises
    ------
    PolicyError
        In one line that names file, rule, key and the nearest right name.
    """
    if path is None:
        text = resources.files(__package__).joinpath("default_policy.toml").read_bytes()
        return parse_policy(text, DEFAULT_NAME)
    try:
        with path.open("rb") as stream:
            text = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"policy {path} cannot be read: {error.strerror}") from error
    if len(text) > _MOST_BYTES:
        raise PolicyError(f"policy {path} is larger than 1 MB, which no policy is")
    return parse_policy(text, str(path))


def parse_policy(text: bytes, where: str) -> ReadPolicy:
    """The policy in a text; see `read_policy`.

    Parameters
    ----------
    where : what messages call it.
    """
    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(f"{where}: not valid TOML: {error}") from error
    defaults = document.pop("defaults", {})
    _check_defaults(defaults, where)
    filled = _with_defaults(document, defaults)
    try:
        policy = Policy.model_validate(filled)
    except ValidationError as error:
        raise PolicyError(f"{where}: {_complaint(error, filled)}") from None
    return ReadPolicy(policy, hashlib.sha256(text).hexdigest()[:12], where)


def _check_defaults(defaults: Any, where: str) -> None:
    try:
        ScanPlan.model_validate(defaults)
    except ValidationError as error:
        raise PolicyError(f"{where}: defaults, {_said(error, ScanPlan, 0)}") from None


def _with_defaults(document: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Each scan with the keys that it does not give itself; a rule without scans has one, of the defaults."""
    rules = document.get("rules")
    if not isinstance(rules, list):
        return document
    filled = []
    for rule in rules:
        if isinstance(rule, dict):
            scans = rule.get("scans", [{}])
            if isinstance(scans, list):
                scans = [defaults | scan if isinstance(scan, dict) else scan for scan in scans]
            rule = {**rule, "scans": scans}  # noqa: PLW2901 - the filled one takes its place
        filled.append(rule)
    return {**document, "rules": filled}


def _complaint(error: ValidationError, document: dict[str, Any]) -> str:
    match _first(error)["loc"]:
        case ("rules", int() as number, *_):
            rule = document["rules"][number]
            name = rule.get("name") if isinstance(rule, dict) else None
            called = f"rule '{name}'" if isinstance(name, str) else f"rule {number + 1}"
            return f"{called}, {_said(error, Policy, 2)}"
        case ("targets", str() as name, *_):
            return f"target '{name}', {_said(error, Policy, 2)}"
        case _:
            return _said(error, Policy, 0)


def _first(error: ValidationError) -> ErrorDetails:
    """The mistake that is told; a key that is written wrongly is missing as well, and its name says more."""
    mistakes = error.errors(include_url=False, include_input=False)
    return next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])


def _said(error: ValidationError, model: type[BaseModel], skip: int) -> str:
    """Its key and what to do.

    Parameters
    ----------
    skip : parts of its place that were told already.
    """
    first = _first(error)
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"][skip:])
    match first["type"]:
        case "extra_forbidden":
            return f"unknown key '{place}'; {_nearest(model, first['loc'])}"
        case "missing":
            return f"key '{place}' is missing"
        case "tuple_type":
            said = "write a list"
        case "dict_type" | "model_type":
            said = "write a table"
        case "value_error":
            said = str(first["ctx"]["error"])
        case _:
            said = str(first["msg"])
    return f"{place}: {said}" if place else said


def _nearest(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """The key that was meant, or all that there are."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        model = model if inner is None else inner
    return nearest(str(location[-1]), (*model.model_fields, *(("defaults",) if model is Policy else ())), "known keys")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `tuple[Model, ...]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in found if model is not None), None)
