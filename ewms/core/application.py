"""The contract between a plugin's domain code and the framework. Pure and synchronous: the framework does the I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from ewms.core.event import DeadLetter, Event, Outcome
from ewms.core.spec import TaskSpec

EventT = TypeVar("EventT", bound=Event)
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
ProductT = TypeVar("ProductT")


class Application(Generic[EventT, OutcomeT, ProductT]):
    """Produces events, also in answer to outcomes, names the consumer that runs on pilots, and assembles the product.

    State lives in the instance and is a function of what `advance` and `buried` were given: after a restart the framework
    builds a new instance and gives it the same outcomes and letters in the order of their acceptance.

    Parameters
    ----------
    inputs
        What the user gave as `--input`.
    parameters
        Keyword arguments: the spec's `parameters` and `--set KEY=VALUE`.
    """

    name: ClassVar[str] = ""
    """What the workflow is called; the class name in lower case if empty."""
    consumer: ClassVar[str | Callable[..., Any]] = ""
    """`module:callable` or the callable itself: what pilots run, where there is one task only."""
    tasks: ClassVar[Sequence[TaskSpec]] = ()
    """The graph, where there is more than one task."""

    @classmethod
    def prepare(cls) -> None:
        """Load what takes a while. A service that is to `preload` this application calls it long before any workflow.

        A consumer may have a static method of this name for pilots; neither knows an event or a context.
        """

    def __init__(self, inputs: Sequence[Path] = (), **parameters: Any) -> None:
        if parameters:
            raise TypeError(f"unknown parameter {sorted(parameters)[0]!r}")
        self.inputs = tuple(inputs)

    def context(self) -> Mapping[str, bytes]:
        """Files by name that all events share, such as a model: every pilot gets them once, at its start.

        A consumer opens one as `ewms.context(name)`, a command finds it in `{{DATA_HUB}}`.
        """
        return {}

    def start(self) -> Iterable[EventT]:
        """The first events. May be lazy and endless in size; the same events in the same order on every call."""
        raise NotImplementedError(f"{type(self).__name__} must define start()")

    def advance(self, outcome: OutcomeT) -> Iterable[EventT]:
        """New events in answer to an accepted outcome. An event that was sent before is not sent again."""
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[EventT]:
        """New events in answer to a dead letter; a barrier must not wait for it for ever."""
        return ()

    def assemble(self) -> ProductT | None:
        """The product: a function of the set of terminal events alone, never of their order of arrival.

        A mapping of file names to text or bytes is written as files of `product/`; None leaves the framework's own
        `outcomes.jsonl`; anything else that JSON can hold becomes `product.json`.
        """
        return None

    def snapshot(self) -> ProductT | None:
        """An honest partial product while the workflow is running, or None."""
        return None

    def status(self) -> str:
        """One line on what is known so far, for the terminal; asked for several times a second."""
        return ""

    def summary(self) -> Mapping[str, Any]:
        """What this application adds to `summary.json`."""
        return {}
