"""Whether a new workflow can be taken, and what comes into being with it. Nothing is written."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from ewms.core import ids
from ewms.core.errors import InputError, SpecError
from ewms.core.graph import Graph, build_graph
from ewms.core.service.files import CODE, CONTEXT, INPUTS, FileDocument
from ewms.core.service.locations import Location
from ewms.core.service.new_workflow import NewWorkflow
from ewms.core.service.submission import Submission, own_submission
from ewms.core.service.taskforce import PilotSpec
from ewms.core.service.upload import UploadDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import WorkflowSpec, parse_spec
from ewms.wms.pilots import timely
from ewms.wms.service.clusters import locations_of
from ewms.wms.service.consumers import Consumers
from ewms.wms.service.state import ServiceState
from ewms.wms.service.webhook_addresses import check_webhook


class Admitted(NamedTuple):
    """What is to be written."""

    submission: Submission
    """The workflow with its directives, taskforces and queues."""
    files: tuple[FileDocument, ...]
    """Its files."""


def admit(state: ServiceState, owner: str, request: NewWorkflow, uploads: dict[str, UploadDocument]) -> Admitted:
    """The documents that a request makes. Reads uploaded sources: for threads.

    Parameters
    ----------
    uploads
        What the owner has uploaded of what the request names, by sha256.

    Raises
    ------
    UsageError
        In one line, for anything that is known to be wrong with it.
    """
    for name, digest in request.files.items():
        if digest not in uploads:
            raise InputError(f"file {name}: {owner} has uploaded no content {digest}; send it by PUT /api/files/{digest}")
    for url in request.webhooks:
        check_webhook(url, state.configuration.webhooks.allow)
    locations = _locations(state, request)
    spec, graph = _checked_spec(state, request, locations)
    now = state.clock()
    workflow = WorkflowDocument(
        workflow_id=ids.workflow_id(now, _entropy()),
        timestamp=now,
        priority=request.priority,
        name=spec.name,
        owner=owner,
        labels=request.labels,
        spec=spec,
        workers=request.workers,
        clusters=tuple(location.name for location in locations),
        files=request.files,
        webhooks=request.webhooks,
    )
    public = (
        {name: ids.queue_id(workflow.workflow_id, _entropy()) for name in graph.sources} if request.open and graph else {}
    )
    carried = {name: digest for name, digest in request.files.items() if name.startswith((CODE, CONTEXT))}
    submission = own_submission(
        workflow,
        graph,
        locations=locations,
        worker=request.worker.spec_for(spec.tasks),
        pilot=PilotSpec(files=carried),
        entropy=_entropy,
        public=public,
        workers_at=_workers_at(state, request),
    )
    files = (
        FileDocument(workflow_id=workflow.workflow_id, name=name, size=uploads[digest].size, sha256=digest)
        for name, digest in request.files.items()
    )
    return Admitted(submission, tuple(files))


def _locations(state: ServiceState, request: NewWorkflow) -> list[Location]:
    names = tuple(request.workers_at) or request.clusters or tuple(state.configuration.clusters)
    if not names:
        raise InputError(
            "the service has no clusters to run at; its operator adds a [clusters.NAME] table to its configuration"
        )
    return locations_of(state.configuration).find_all(names)


def _workers_at(state: ServiceState, request: NewWorkflow) -> dict[str, int]:
    known = locations_of(state.configuration)
    return {known.find(name).name: workers for name, workers in request.workers_at.items()}


def _checked_spec(state: ServiceState, request: NewWorkflow, locations: list[Location]) -> tuple[WorkflowSpec, Graph | None]:
    document = request.spec if request.name is None else {**request.spec, "name": request.name}
    spec = parse_spec(document, "spec")
    graph = None if spec.application is not None and not spec.tasks else build_graph(spec)
    timely(spec.tasks, state.broker.capabilities.max_lease_seconds, "the broker")
    has_inputs = any(name.startswith(INPUTS) for name in request.files)
    if request.open and graph is None:
        raise SpecError("spec: an open workflow needs tasks of its own, so that it is known where events go; add them")
    if spec.application is None and not has_inputs and not request.open:
        raise InputError(
            f"workflow '{spec.name}' has nothing to work on; name {INPUTS}… files, an application, or open = true"
        )
    backends = {state.configuration.clusters[location.name].backend for location in locations}
    Consumers(request.files, state.files).check(spec, pilots_here=backends == {"local"})
    return spec, graph


def _entropy() -> bytes:
    return secrets.token_bytes(4)
