"""A scan as a workflow that can be run and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ewms
from skymap_scanner.errors import ScanError
from skymap_scanner.recos.program import ProgramReco
from skymap_scanner.recos.registry import is_program, reco_class
from skymap_scanner.scanning.application import RECONSTRUCT, Scan


def scan_workflow(parameters: Mapping[str, Any], *, max_failures: int = 3) -> ewms.WorkflowSpec:
    """Return the spec of a scan.

    Parameters
    ----------
    parameters
        Of `Scan`.
    max_failures
        Failed tries after which a pixel is given up on.
    """
    retry = ewms.RetryPolicy(max_failures=max_failures)
    reco = str(parameters.get("reco", ""))
    tasks = tuple(_by_program(task, reco) if is_program(reco) and task.name == RECONSTRUCT else task for task in Scan.tasks)
    return ewms.WorkflowSpec(
        name=Scan.name,
        application=f"{Scan.__module__}:{Scan.__qualname__}",
        parameters=dict(parameters),
        tasks=tuple(task.model_copy(update={"retry": retry}) for task in tasks),
        inputs=tuple(task.input for task in tasks),
    )


def _by_program(task: ewms.TaskSpec, name: str) -> ewms.TaskSpec:
    """The same task, done by a program."""
    reco = reco_class(name)
    if not issubclass(reco, ProgramReco):
        raise ScanError(f"reconstruction '{name}' is listed as a program, but is no subclass of ProgramReco")
    kept = {"name": task.name, "input": task.input, "output": task.output}
    try:
        return ewms.TaskSpec(**kept, **reco.task, infile_suffix=".json", outfile_suffix=".json")
    except ValueError as error:
        raise ScanError(f"reconstruction '{name}' describes its task wrongly: {error}") from error
