"""Pages of the web interface: one router per subject."""

from ewms.wms.web.routes import doors, failures, files, system, workflow, workflows

routers = (
    doors.router,
    files.router,
    workflows.router,
    workflow.router,
    failures.router,
    system.router,
)
"""All of them."""
