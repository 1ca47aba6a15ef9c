"""The interface of our own, `/api`: one router per resource."""

from ewms.wms.service.routes.api import about, actions, clusters, files, tms, workflows

routers = (
    about.router,
    files.router,
    workflows.router,
    actions.router,
    clusters.router,
    tms.router,
)
"""All of them."""
