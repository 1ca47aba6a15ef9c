"""The address of a listing of workflows: what is looked for stands in it, so that it can be shared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What somebody looks for, as the address has it."""

    text: str = ""
    """Part of a name or id."""
    labels: tuple[str, ...] = ()
    """As `name=value`."""
    states: tuple[str, ...] = ()
    """Any of these."""
    owner: str = ""
    """Whose."""

    @property
    def is_anything(self) -> bool:
        """Whether nothing in particular is looked for."""
        return self == Sought()

    def link(self, path: str, **others: str | int) -> str:
        """An address of the listing at a path, with other parameters."""
        pairs = [("text", self.text), ("owner", self.owner), *(("state", state) for state in self.states)]
        pairs += [("label", label) for label in self.labels]
        pairs += [(name, str(value)) for name, value in others.items()]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"{path}?{query}" if query else path

    def with_state(self, state: str) -> Sought:
        """The same, in this state alone; in any where that is empty."""
        return replace(self, states=(state,) if state else ())

    def with_label(self, label: str) -> Sought:
        """The same, with a label more."""
        return replace(self, labels=tuple(dict.fromkeys((*self.labels, label))))

    def without_label(self, label: str) -> Sought:
        """The same, with a label less."""
        return replace(self, labels=tuple(one for one in self.labels if one != label))


def sought(text: str, labels: Sequence[str], more_labels: str, states: Sequence[str], owner: str) -> Sought:
    """What an address says is looked for.

    Parameters
    ----------
    more_labels
        As people write them in a field: several with commas between them.
    """
    written = (label.strip() for label in more_labels.split(","))
    every = dict.fromkeys((*labels, *(label for label in written if label)))
    return Sought(text=text.strip(), labels=tuple(every), states=tuple(states), owner=owner.strip())
