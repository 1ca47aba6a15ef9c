"""What the pilots of one taskforce are told."""

from __future__ import annotations

from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.grants import DEFAULT_RUN_SECONDS, pilot_grant, pilot_lifetime
from ewms.wms.pilots import pilot_config
from ewms.wms.service.state import ServiceState


async def config_of(state: ServiceState, workflow: WorkflowDocument, taskforce: TaskforceDocument) -> PilotConfig:
    """The configuration with fresh credentials, before the files have their places on the slot.

    Parameters
    ----------
    workflow
        Active.
    taskforce
        Of this workflow.
    """
    runtime = taskforce.worker.max_runtime
    url = await state.access.credentials.issue(pilot_grant(workflow.workflow_id), pilot_lifetime(runtime))
    config = pilot_config(
        workflow,
        broker_url=url,
        capabilities=state.broker.capabilities,
        lease=state.configuration.service.lease,
        blobs=state.configuration.blobs_url,
    )
    return config.model_copy(update={"slots": taskforce.pilot.slots, "wall_time": runtime or DEFAULT_RUN_SECONDS})
