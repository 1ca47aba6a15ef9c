"""A scan as a workflow that can be run and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ewms
from skymap_scanner.scanning.application import Scan


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
    return ewms.WorkflowSpec(
        name=Scan.name,
        application=f"{Scan.__module__}:{Scan.__qualname__}",
        parameters=dict(parameters),
        tasks=tuple(task.model_copy(update={"retry": retry}) for task in Scan.tasks),
        inputs=tuple(task.input for task in Scan.tasks),
    )
