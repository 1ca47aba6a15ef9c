"""What the claims of a token make of its bearer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ewms.core.errors import Forbidden, Unauthenticated
from ewms.core.service.access_configuration import RolesConfiguration
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import Role

_LONGEST_NAME = 200


def caller_from(claims: Mapping[str, Any], name: str, roles: RolesConfiguration) -> Caller:
    """Who brings a token with these claims, which were checked.

    Parameters
    ----------
    name
        The claim that names them.

    Raises
    ------
    Unauthenticated
        They have no name.
    Forbidden
        They have no role.
    """
    found = _values(claims, name)
    if len(found) != 1 or not 0 < len(found[0]) <= _LONGEST_NAME or not found[0].isprintable():
        raise Unauthenticated(f"the token's claim '{name}' names nobody; ask the provider's administrator for it")
    for role, conditions in roles.items():
        if any(_holds(claims, condition) for condition in conditions):
            return Caller(name=found[0], role=Role(role))
    raise Forbidden(f"{found[0]:.80} has no role here; ask an operator for one")


def _holds(claims: Mapping[str, Any], condition: str) -> bool:
    claim, _, wanted = condition.partition("=")
    if wanted.endswith("*"):
        return any(value.startswith(wanted[:-1]) for value in _values(claims, claim))
    return wanted in _values(claims, claim)


def _values(claims: Mapping[str, Any], path: str) -> list[str]:
    """The texts under a claim, or under a path of claims within others; none where there is something else."""
    value: Any = claims
    if path in claims:  # some providers name their claims by URLs, which have dots in them
        value = claims[path]
    else:
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
