"""Where the tasks and queues of a workflow are drawn: from left to right as events pass through them. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from ewms.core.spec import WorkflowSpec

_HEIGHT, _ROW = 58, 76
_WIDTHS = {"queue": 132, "task": 176}
_GAP = 44
_LONGEST = 18


class Node(NamedTuple):
    """A task or a queue, in pixels of the drawing."""

    kind: str
    """`task` or `queue`."""
    name: str
    """In the spec."""
    task: str
    """Of a queue, the task that reads it, empty if none does; of a task, it itself."""
    x: float
    """Left edge."""
    y: float
    """Upper edge."""
    width: float
    """Of the box."""
    height: float
    """Of the box."""

    @property
    def short(self) -> str:
        """The name, as far as it fits."""
        return self.name if len(self.name) <= _LONGEST else f"{self.name[: _LONGEST - 1]}\u2026"


class Edge(NamedTuple):
    """An arrow from a node to the next."""

    x1: float
    """Where it begins."""
    y1: float
    """Where it begins."""
    x2: float
    """Where it ends."""
    y2: float
    """Where it ends."""

    @property
    def path(self) -> str:
        """The curve, for SVG."""
        middle = (self.x1 + self.x2) / 2
        return f"M{self.x1:g} {self.y1:g}C{middle:g} {self.y1:g} {middle:g} {self.y2:g} {self.x2:g} {self.y2:g}"


class Drawing(NamedTuple):
    """All of it."""

    nodes: tuple[Node, ...]
    """From left to right."""
    edges: tuple[Edge, ...]
    """Between them."""
    width: float
    """Pixels."""
    height: float
    """Pixels."""


def draw(spec: WorkflowSpec) -> Drawing:
    """Draw a spec; nothing where the application has yet to name its tasks."""
    depths = _depths(spec)
    readers = {task.input: task.name for task in spec.tasks}
    columns: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for key, depth in depths.items():
        columns[depth].append(key)
    height = _ROW * max((len(column) for column in columns.values()), default=0)
    nodes: dict[tuple[str, str], Node] = {}
    x = 1.0
    for depth in sorted(columns):
        top = (height - _ROW * len(columns[depth])) / 2 + (_ROW - _HEIGHT) / 2
        width = max(_WIDTHS[kind] for kind, _ in columns[depth])
        for row, (kind, name) in enumerate(columns[depth]):
            task = name if kind == "task" else readers.get(name, "")
            nodes[kind, name] = Node(kind, name, task, x, top + row * _ROW, width, _HEIGHT)
        x += width + _GAP
    return Drawing(tuple(nodes.values()), tuple(_edges(spec, nodes)), max(x - _GAP + 1, 0), height)


def _depths(spec: WorkflowSpec) -> dict[tuple[str, str], int]:
    """The column of each node: one behind the last that leads to it. Specs that were taken have no cycle."""
    depths = {("queue", task.input): 0 for task in spec.tasks}
    for _ in range(len(spec.tasks) + 1):
        for task in spec.tasks:
            depth = depths["task", task.name] = depths["queue", task.input] + 1
            for queue in task.output:
                depths["queue", queue] = max(depths.get(("queue", queue), 0), depth + 1)
    return depths


def _edges(spec: WorkflowSpec, nodes: dict[tuple[str, str], Node]) -> list[Edge]:
    pairs = [(("queue", task.input), ("task", task.name)) for task in spec.tasks]
    pairs += [(("task", task.name), ("queue", queue)) for task in spec.tasks for queue in task.output]
    return [_edge(nodes[begin], nodes[end]) for begin, end in pairs]


def _edge(begin: Node, end: Node) -> Edge:
    middle = _HEIGHT / 2
    return Edge(begin.x + begin.width, begin.y + middle, end.x - 6, end.y + middle)
