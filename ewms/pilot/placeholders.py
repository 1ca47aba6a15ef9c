"""The names that stand for an event's files and the data hub in the arguments of commands and containers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ewms.core.spec import TaskSpec
from ewms.pilot import data_hub


class Places(NamedTuple):
    """Where the program of a task finds what it needs, as it sees it itself."""

    infile: str
    """The input file; empty where there is none."""
    outfile: str
    """The output file that it may write; empty where there is none."""
    data_hub: str
    """The folder that all tasks share."""

    def fill(self, arguments: Iterable[str]) -> list[str]:
        """The arguments with their placeholders replaced; both spellings of EWMS are known."""
        return [self._fill(argument) for argument in arguments]

    def environment(self, task: TaskSpec) -> dict[str, str]:
        """The task's own variables, and those by which it finds the same."""
        places = {
            "EWMS_TASK_INFILE": self.infile,
            "EWMS_TASK_OUTFILE": self.outfile,
            data_hub.VARIABLE: self.data_hub,
        }
        return task.environment | {"EWMS_TASK_NAME": task.name} | {name: path for name, path in places.items() if path}

    def _fill(self, argument: str) -> str:
        for names, value in (
            (("{{INFILE}}", "{{IN_FILE}}"), self.infile),
            (("{{OUTFILE}}", "{{OUT_FILE}}"), self.outfile),
            (("{{DATA_HUB}}", "{{DATAHUB}}"), self.data_hub),
        ):
            for name in names:
                argument = argument.replace(name, value)
        return argument
