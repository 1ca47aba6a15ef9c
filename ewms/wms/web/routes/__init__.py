"""Pages of the web interface: one router per subject."""

from ewms.wms.web.routes import doors, files

routers = (doors.router, files.router)
"""All of them."""
