"""References to consumers: `module:attribute` or `path/to/file.py:attribute`, made and checked without importing."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ewms.core.errors import ConsumerError
from ewms.core.sources import check_defined


def reference_to(function: Callable[..., Any] | str) -> str:
    """The reference by which a pilot imports this function or class; a string is taken as one already.

    Raises `ConsumerError` for a lambda, a nested function, a bound method or something typed into a prompt.
    """
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", "")
    module = getattr(function, "__module__", None)
    if not name or module is None or inspect.ismethod(function):
        raise ConsumerError(
            f"{name or function!r} cannot be imported by a pilot; call it from a function at the top level of a module"
        )
    if "<lambda>" in name:
        raise ConsumerError("a pilot cannot import a lambda; define a function with def at the top level of a module")
    if "<locals>" in name:
        raise ConsumerError(
            f"a pilot cannot import '{name}', which is defined inside a function; move it to the top level of its module"
        )
    if module != "__main__":
        return f"{module}:{name}"
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is None or not Path(path).is_file():
        raise ConsumerError(
            f"a pilot cannot import '{name}' from an interactive session; save it in a file work.py and import it from there"
        )
    return f"{Path(path).resolve()}:{name}"


def check_importable(reference: str, search_path: Sequence[str], where: str) -> None:
    """Look for the consumer's source without running it; `ConsumerError` in one line if it cannot be there."""
    module, _, attribute = reference.rpartition(":")
    path = _source_of(module, search_path, where)
    if path is None:
        return
    check_defined(path.read_bytes(), attribute, module=module, place=str(path), where=where)


def _source_of(module: str, search_path: Sequence[str], where: str) -> Path | None:
    if module.endswith(".py"):
        path = Path(module)
        if not path.is_file():
            raise ConsumerError(f"{where}: there is no file {module}")
        return path
    spec = None
    places: Sequence[str] | None = [*search_path, *sys.path]
    for number, _ in enumerate(parts := module.split("."), start=1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:number]), places)
        if spec is None:
            break
        places = list(spec.submodule_search_locations or [])
    if spec is None and importlib.util.find_spec(parts[0]) is None:
        raise ConsumerError(
            f"{where}: there is no module '{module}'; put {parts[0]}.py beside the workflow or install its package"
        )
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)
