"""EWMS's own interface, `/v1`: one router per resource."""

from ewms.wms.service.routes import mqs
from ewms.wms.service.routes.v1 import query, root, task_directives, taskforces, tms, workflows

routers = (root.router, workflows.router, task_directives.router, taskforces.router, tms.router, query.router, mqs.router)
"""All of them, with those of EWMS's message queue service."""
