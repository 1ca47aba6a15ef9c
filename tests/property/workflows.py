"""The workflows that delivery is tried on: what is sent, what a task makes of it, and the product of an undisturbed run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ewms.core.application import Application
from ewms.core.event import DeadLetter, Event, Outcome
from ewms.core.graph import Graph, build_graph
from ewms.core.spec import parse_spec

RETRY = {"max_failures": 2, "max_vanishes": 2}


@dataclass(frozen=True)
class Made:
    """What a task makes of a body."""

    values: tuple[Any, ...]
    queue: str = ""
    many: bool = False


@dataclass(frozen=True)
class Workflow:
    """Tasks as a spec tells them, what each does, and the application that sends the events."""

    tasks: list[dict[str, Any]]
    work: dict[str, Callable[[Any], Made]]
    application: Callable[[], Application[Any, Any, Any]]

    def graph(self) -> Graph:
        tasks = [{"python": "work:any", "retry": RETRY, **task} for task in self.tasks]
        return build_graph(parse_spec({"name": "tried", "tasks": tasks}, "tried"))


class Numbers(Application[Event, Outcome, None]):
    """Sends so many numbers."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def start(self) -> Iterator[Event]:
        return (Event(id=str(number), body=number) for number in range(self._count))


class Rounds(Application[Event, Outcome, "dict[str, Any]"]):
    """Looks for the smallest value in rounds with barriers; sends more, earlier, on partial knowledge.

    What a round needs is a pure function of the round before, and the seed's digest is part of the id.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, int] = {}
        self.lost: set[str] = set()

    def start(self) -> list[Event]:
        return [_place(0, x, seed=0) for x in range(4)]

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        self.found[outcome.id] = outcome.value
        self.lost.discard(outcome.id)
        return [*self.required(), *self._guesses()]

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        self.lost.add(letter.id)
        return self.required()

    def required(self) -> list[Event]:
        """The events of all rounds whose round before is over."""
        needed = places = self.start()
        for number in (1, 2):
            if any(place.id not in self.found and place.id not in self.lost for place in places):
                break
            places = self._around(number, [place for place in places if place.id in self.found])
            needed = needed + places
        return needed

    def assemble(self) -> dict[str, Any]:
        return {place.id: self.found.get(place.id) for place in self.required()}

    def _guesses(self) -> list[Event]:
        return self._around(1, [place for place in self.start() if place.id in self.found])

    def _around(self, number: int, places: list[Event]) -> list[Event]:
        best = sorted(places, key=lambda place: (self.found[place.id], place.id))[:2]
        return [_place(number, place.body["x"] * 2 + side, self.found[place.id]) for place in best for side in (0, 1)]


def _place(number: int, x: int, seed: int) -> Event:
    body = {"x": x, "seed": seed}
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()[:8]
    return Event(id=f"{number}:{x}:{digest}", body=body)


def _square(body: Any) -> Made:
    return Made((body * body,))


def _explode(body: Any) -> Made:
    """Number n becomes n - 1 pieces; those of an odd number go to one queue only."""
    pieces = tuple(f"{body}.{piece}" for piece in range(body - 1))
    return Made(pieces, queue="heavy" if body % 2 else "", many=True)


SINGLE = Workflow(
    tasks=[{"name": "square", "input": "numbers", "output": "squares", "bundle": 1}],
    work={"square": _square},
    application=lambda: Numbers(3),
)
BUNDLES = Workflow(
    tasks=[{"name": "square", "input": "numbers", "output": "squares", "bundle": 3}],
    work={"square": _square},
    application=lambda: Numbers(8),
)
GRAPH = Workflow(
    tasks=[
        {"name": "explode", "input": "numbers", "output": ["light", "heavy"]},
        {"name": "paint", "input": "light", "output": "parts"},
        {"name": "weigh", "input": "heavy", "output": "parts", "bundle": 2},
        {"name": "join", "input": "parts"},
    ],
    work={
        "explode": _explode,
        "paint": lambda body: Made((f"{body} red",)),
        "weigh": lambda body: Made((f"{body} kg",)),
        "join": lambda body: Made((f"<{body}>",)),
    },
    application=lambda: Numbers(5),
)
REFINING = Workflow(
    tasks=[{"name": "look", "input": "places", "output": "values", "bundle": 2}],
    work={"look": lambda body: Made(((7 * body["x"] + body["seed"]) % 11,))},
    application=Rounds,
)
