"""The loops of the service, by name."""

from __future__ import annotations

from collections.abc import Mapping

from ewms.wms.service.control import Control
from ewms.wms.service.housekeeping import Housekeeping
from ewms.wms.service.state import ServiceState
from ewms.wms.service.supervision import Loop
from ewms.wms.service.webhooks import Webhooks


def loops_of(state: ServiceState, remembered: Mapping[str, float]) -> dict[str, Loop]:
    """What runs beside the routes; `remembered` is for how long plugins' collections keep documents, see `Housekeeping`."""
    return {
        "control": Control(state).run,
        "watch": state.watch.run,
        "webhooks": Webhooks(state).run,
        "housekeeping": Housekeeping(state, remembered).run,
    }
