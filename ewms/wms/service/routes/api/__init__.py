"""The interface of our own, `/api`: one router per resource."""

from ewms.wms.service.routes.api import about, actions, clusters, contents, files, results, streams, tms, tokens, workflows

routers = (
    about.router,
    files.router,
    workflows.router,
    actions.router,
    contents.router,
    results.router,
    streams.router,
    clusters.router,
    tms.router,
    tokens.router,
)
"""All of them."""
