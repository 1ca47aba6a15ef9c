"""The clusters that a request may name, by their names and aliases. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from ewms.core.errors import InputError


class Location(BaseModel):
    """A cluster, as requests name it and as EWMS shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Of the cluster in the service's configuration."""
    schedd: str
    """Host name of its access point; by this a TMS of EWMS asks for its taskforces."""
    aliases: tuple[str, ...] = ()
    """Further names that mean it."""


class Locations:
    """All clusters of the configuration."""

    def __init__(self, locations: Iterable[Location]) -> None:
        self._by_name = {name: location for location in locations for name in (*location.aliases, location.name)}

    def find(self, name: str) -> Location:
        """The cluster that a name or alias means; `InputError` with the known names if there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._by_name, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(self._by_name)) or 'none'}"
            raise InputError(f"cluster location {name!r:.80} is unknown; {hint}") from None

    def find_all(self, names: Sequence[str]) -> list[Location]:
        """The clusters of several names; `InputError` also where two names mean one cluster."""
        found: dict[str, Location] = {}
        for name in names:
            location = self.find(name)
            if location.name in found:
                raise InputError(f"cluster locations {', '.join(names)!r:.200} name {location.name} twice; name it once")
            found[location.name] = location
        return list(found.values())
