"""What a task runs: found, built once per process and adapted to events."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ewms.core.errors import ConsumerError
from ewms.core.wire import WorkEvent
from ewms.pilot.worker import arguments
from ewms.pilot.worker.importing import find, guarded


class Consumer:
    """A function, a class with `consume` or `__call__`, or a vectorised one with `consume_many`, called with events.

    Parameters
    ----------
    reference
        `module:attribute` or `path/to/file.py:attribute`.
    search_path
        Folders in which a relative file is looked for.

    Raises
    ------
    ConsumerError
        It cannot be found, imported, built or called with one argument.
    """

    def __init__(self, reference: str, search_path: Sequence[str]) -> None:
        target = find(reference, search_path)
        if inspect.isclass(target):
            target = guarded(f"constructing consumer '{reference}'", target)
        self.consume_many = _batch_caller(getattr(target, "consume_many", None), reference)
        """Runs a whole bundle and returns a value per event; None where the consumer is not vectorised."""
        self.consume = self._single_caller(target, reference)
        """Runs one event."""

    def _single_caller(self, target: Any, reference: str) -> Callable[[WorkEvent], Any]:
        function = getattr(target, "consume", target)
        if not callable(function):
            many = self.consume_many
            if many is None:
                raise ConsumerError(f"consumer '{reference}' is not callable; name a function or a class with consume(body)")
            return lambda event: many([event])[0]
        if any(inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f) for f in (function, _call_of(function))):
            raise ConsumerError(f"consumer '{reference}' is asynchronous; a consumer is a plain function")
        read = arguments.reader_for(function, reference)
        return lambda event: function(read(event))


def _batch_caller(
    function: Callable[..., Sequence[Any]] | None, reference: str
) -> Callable[[Sequence[WorkEvent]], Sequence[Any]] | None:
    if function is None:
        return None
    read = arguments.element_reader_for(function, f"{reference}.consume_many")

    def consume_many(events: Sequence[WorkEvent]) -> Sequence[Any]:
        values = function([read(event) for event in events])
        if len(values) != len(events):
            raise ValueError(f"consume_many returned {len(values)} values for {len(events)} events")
        return values

    return consume_many


def _call_of(function: Any) -> Any:
    """The method behind an instance that is called like a function."""
    return getattr(type(function), "__call__", None)  # noqa: B004  not asked whether it is callable: it is
