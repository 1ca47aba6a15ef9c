"""The graph that a spec's tasks and queues make, checked: every mistake is one line that names the culprit."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ewms.core.errors import SpecError
from ewms.core.spec import TaskSpec, WorkflowSpec


@dataclass(frozen=True)
class Graph:
    """Tasks in topological order and who reads and writes which queue."""

    tasks: tuple[TaskSpec, ...]
    """Upstream before downstream."""
    reader: dict[str, str]
    """Queue to the task that reads it."""
    sources: tuple[str, ...]
    """Queues filled from outside."""
    sinks: tuple[str, ...]
    """Queues that nobody reads: the product."""

    def task(self, name: str) -> TaskSpec:
        """The task of that name; `KeyError` if there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def task_reading(self, queue: str) -> str:
        """The task that an event sent to `queue` is for; `SpecError` if nobody reads it. Empty means the first source."""
        name = queue or self.sources[0]
        try:
            return self.reader[name]
        except KeyError:
            raise SpecError(f"an event was sent to queue '{name}', which no task reads;{_near(name, self.reader)}") from None


def build_graph(spec: WorkflowSpec) -> Graph:
    """Check a spec's tasks and queues against each other.

    Raises `SpecError` for no or repeated tasks, two readers of a queue, a cycle, a queue that nothing fills or reads.
    """
    if not spec.tasks:
        raise SpecError(f"workflow '{spec.name}' has no tasks; add a [[tasks]] table or an application")
    for name, count in Counter(task.name for task in spec.tasks).items():
        if count > 1:
            raise SpecError(f"two tasks are named '{name}'; give each its own name")
    reader: dict[str, str] = {}
    for task in spec.tasks:
        if task.input in reader:
            raise SpecError(
                f"queue '{task.input}' is read by both '{reader[task.input]}' and '{task.name}'; "
                "write the results to two queues instead"
            )
        reader[task.input] = task.name
    ordered = _sorted(spec.tasks, reader)
    written = {queue for task in spec.tasks for queue in task.output}
    sources = _sources(spec, reader, written)
    sinks = _sinks(spec, reader, written)
    return Graph(tasks=ordered, reader=reader, sources=sources, sinks=sinks)


def _sorted(tasks: Iterable[TaskSpec], reader: dict[str, str]) -> tuple[TaskSpec, ...]:
    by_name = {task.name: task for task in tasks}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for task in by_name.values():
        sorter.add(task.name)
        for queue in task.output:
            if queue in reader:
                sorter.add(reader[queue], task.name)
    try:
        return tuple(by_name[name] for name in sorter.static_order())
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise SpecError(f"the tasks form a cycle: {cycle}; a workflow's graph must have an end") from error


def _sources(spec: WorkflowSpec, reader: dict[str, str], written: set[str]) -> tuple[str, ...]:
    for queue in spec.inputs:
        if queue not in reader:
            raise SpecError(f"input queue '{queue}' has no reader;{_near(queue, reader)}")
    unfed = [task.input for task in spec.tasks if task.input not in written]
    if spec.inputs:
        for queue in unfed:
            if queue not in spec.inputs:
                raise SpecError(f"nothing fills queue '{queue}', which task '{reader[queue]}' reads; name it in inputs =")
        return spec.inputs
    if not unfed:
        raise SpecError("every queue is filled by a task, so nothing can start; name the first one in inputs =")
    if len(unfed) > 1:
        unread = sorted(written - set(reader))
        for queue in unread:
            for candidate in difflib.get_close_matches(queue, unfed, n=1, cutoff=0.5):
                raise SpecError(
                    f"queue '{queue}' has no reader, and nothing fills queue '{candidate}' "
                    f"of task '{reader[candidate]}': one of the two is misspelt"
                )
        raise SpecError(f"nothing fills the queues {', '.join(unfed)}; if all are to be filled, name them in inputs =")
    return tuple(unfed)


def _sinks(spec: WorkflowSpec, reader: dict[str, str], written: set[str]) -> tuple[str, ...]:
    unread = sorted(written - set(reader))
    if not spec.outputs:
        return tuple(unread)
    for queue in spec.outputs:
        if queue not in written:
            raise SpecError(f"no task writes the output queue '{queue}';{_near(queue, written)}")
    for queue in unread:
        if queue not in spec.outputs:
            raise SpecError(f"queue '{queue}' has no reader;{_near(queue, reader)} name it in outputs = if it is a product")
    return spec.outputs


def _near(name: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1)
    return f" did you mean '{near[0]}'?" if near else f" known queues: {', '.join(choices)}"
