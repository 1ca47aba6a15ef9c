"""`ewms`: durable, observable, restartable workflows of millions of events, from a laptop to thousands of slots.

The public face: what an author of workflows and plugins needs, and nothing else. Names are imported on first use, so that
pilots, which start by the thousand, pay for none of it.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ewms.client.connect import connect
    from ewms.core.application import Application
    from ewms.core.errors import EwmsError, InputError, UsageError
    from ewms.core.event import Attempt, DeadLetter, Event, Outcome, Output
    from ewms.core.ids import path_event_id
    from ewms.core.retry import RetryPolicy
    from ewms.core.spec import ResourceSpec, TaskSpec, WorkflowSpec
    from ewms.local.api import RunResult, run
    from ewms.local.map import map
    from ewms.local.progress import Progress
    from ewms.local.workflow import Workflow
    from ewms.pilot.data_hub import context

__version__ = "0.1.0"

# A library is silent until its user configures logging.
logging.getLogger("ewms").addHandler(logging.NullHandler())

_HOMES = {
    "Application": "ewms.core.application",
    "Attempt": "ewms.core.event",
    "DeadLetter": "ewms.core.event",
    "Event": "ewms.core.event",
    "Outcome": "ewms.core.event",
    "Output": "ewms.core.event",
    "Progress": "ewms.local.progress",
    "EwmsError": "ewms.core.errors",
    "InputError": "ewms.core.errors",
    "ResourceSpec": "ewms.core.spec",
    "RetryPolicy": "ewms.core.retry",
    "RunResult": "ewms.local.api",
    "TaskSpec": "ewms.core.spec",
    "UsageError": "ewms.core.errors",
    "Workflow": "ewms.local.workflow",
    "WorkflowSpec": "ewms.core.spec",
    "connect": "ewms.client.connect",
    "context": "ewms.pilot.data_hub",
    "map": "ewms.local.map",
    "path_event_id": "ewms.core.ids",
    "run": "ewms.local.api",
}

__all__ = [
    "Application",
    "Attempt",
    "DeadLetter",
    "Event",
    "EwmsError",
    "InputError",
    "Outcome",
    "Output",
    "Progress",
    "ResourceSpec",
    "RetryPolicy",
    "RunResult",
    "TaskSpec",
    "UsageError",
    "Workflow",
    "WorkflowSpec",
    "__version__",
    "connect",
    "context",
    "map",
    "path_event_id",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ewms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
