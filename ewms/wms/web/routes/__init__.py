"""Pages of the web interface: one router per subject."""

from ewms.wms.web.routes import doors, failures, files, interface, system, workflow, workflows

routers = (
    doors.router,
    files.router,
    workflows.router,
    workflow.router,
    failures.router,
    system.router,
    interface.router,
)
"""All of them."""
