"""A workflow put together in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from ewms.core.application import Application
from ewms.core.event import Event, Outcome
from ewms.core.spec import WorkflowSpec, parse_spec
from ewms.local.consumers import reference_to


class Workflow:
    """Tasks over named queues, for `ewms.run` or `ewms run module:attribute`.

    >>> flow = Workflow("squares").task(square, input="numbers", output="squares")

    Parameters
    ----------
    name
        Short name: letters, digits, `_` and `-`.
    settings
        Further keys of the spec, such as `window`.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        self._document: dict[str, Any] = {"name": name, **settings}
        self._tasks: list[dict[str, Any]] = []

    def task(
        self,
        function: Callable[..., Any] | str | None = None,
        *,
        input: str,
        output: str | Sequence[str] = (),
        name: str | None = None,
        **settings: Any,
    ) -> Self:
        """Add a task: a function or class that a pilot can import, or `command=[...]`; further keys as in the spec.

        Raises `ConsumerError` for a function that a pilot cannot import.
        """
        document = {"input": input, "output": output, **settings}
        if function is not None:
            document["python"] = reference_to(function)
        document["name"] = name or getattr(function, "__name__", None) or input
        self._tasks.append(document)
        return self

    def spec(self) -> WorkflowSpec:
        """The workflow as data; raises `SpecError` in one line."""
        return parse_spec({**self._document, "tasks": self._tasks}, f"workflow {self._document['name']}")


class Events(Application[Event, Outcome, None]):
    """Sends given events or bodies; the framework's `outcomes.jsonl` is the product.

    Bodies get their index as id. The iterable is read once per driver: a list, or something that yields the same again.
    """

    def __init__(self, events: Iterable[Any]) -> None:
        super().__init__()
        self._events = events

    def start(self) -> Iterable[Event]:
        """The events, in order."""
        for number, item in enumerate(self._events):
            yield item if isinstance(item, Event) else Event(id=str(number), body=item)
