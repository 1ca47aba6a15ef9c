"""Finding what `module:attribute` and `path/to/file.py:attribute` refer to."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from ewms.core.errors import ConsumerError
from ewms.pilot.worker.failures import describe, where


def find(reference: str, search_path: Sequence[str]) -> Any:
    """The object; `ConsumerError` with what is wrong and what to do."""
    place, _, attribute = reference.rpartition(":")
    module = _load_file(place, search_path) if place.endswith(".py") else _load_module(place)
    target: Any = module
    for name in attribute.split("."):
        try:
            target = getattr(target, name)
        except AttributeError:
            raise ConsumerError(
                f"consumer '{reference}': {place} has no '{name}'; define it at the top level of that module"
            ) from None
    return target


def guarded(what: str, action: Callable[..., Any], *arguments: Any) -> Any:
    """Run the user's code outside any event; whatever it raises is a `ConsumerError` that says where."""
    try:
        return action(*arguments)
    except BaseException as error:  # the user's code may raise anything, SystemExit included
        raise ConsumerError(f"{what} raised {describe(error)}{where(error)}") from error


def _load_module(name: str) -> ModuleType:
    try:
        module: ModuleType = guarded(f"importing '{name}'", importlib.import_module, name)
    except ConsumerError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name and f"{name}.".startswith(f"{cause.name}."):
            raise ConsumerError(
                f"consumer module '{name}' is not found by this pilot; put it beside the workflow file or install it"
            ) from None
        raise
    return module


def _load_file(place: str, search_path: Sequence[str]) -> ModuleType:
    candidates = [os.path.abspath(os.path.join(folder, place)) for folder in ("", *search_path)]
    path = next((os.path.realpath(candidate) for candidate in candidates if os.path.isfile(candidate)), None)
    if path is None:
        raise ConsumerError(f"consumer file '{place}' is not found by this pilot; looked for {', '.join(candidates)}")
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    if (folder := os.path.dirname(path)) not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConsumerError(f"consumer file '{place}' is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    guarded(f"importing '{place}'", spec.loader.exec_module, module)
    return module


def _module_name(path: str) -> str:
    """The file's stem, so that it is the same module for whoever imports it, unless the name means another module."""
    stem = os.path.basename(path)[: -len(".py")]
    known = sys.modules.get(stem)
    is_taken = stem in sys.stdlib_module_names or (
        known is not None and os.path.realpath(getattr(known, "__file__", None) or "") != path
    )
    return f"{stem}_{hashlib.sha256(path.encode()).hexdigest()[:8]}" if is_taken or not stem.isidentifier() else stem
