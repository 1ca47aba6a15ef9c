"""What a module's source defines, found without running it. Pure."""

from __future__ import annotations

import ast
import difflib

from ewms.core.errors import ConsumerError


def check_defined(source: bytes, attribute: str, *, module: str, place: str, where: str) -> None:
    """`ConsumerError` in one line for a module that cannot define an attribute at its top level.

    Parameters
    ----------
    module
        What the user calls it.
    place
        Where its source lies.
    where
        With what the message begins.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ConsumerError(f"{where}: {place}{line}: {error.msg if isinstance(error, SyntaxError) else error}") from error
    names = _top_level_names(tree)
    first = attribute.split(".", maxsplit=1)[0]
    if first not in names and "*" not in names and "__getattr__" not in names:
        near = difflib.get_close_matches(first, names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; define it in {place}"
        raise ConsumerError(f"{where}: module '{module}' has no '{first}'{hint}")


def _top_level_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return names
