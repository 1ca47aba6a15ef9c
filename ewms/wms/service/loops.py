"""The loops of the service, by name."""

from __future__ import annotations

from ewms.wms.service.control import Control
from ewms.wms.service.housekeeping import Housekeeping
from ewms.wms.service.state import ServiceState
from ewms.wms.service.supervision import Loop
from ewms.wms.service.webhooks import Webhooks


def loops_of(state: ServiceState) -> dict[str, Loop]:
    """What runs beside the routes."""
    return {
        "control": Control(state).run,
        "watch": state.watch.run,
        "webhooks": Webhooks(state).run,
        "housekeeping": Housekeeping(state).run,
    }
