"""Takes the process with it when it is imported."""

from __future__ import annotations

import os
from typing import Any

if os.environ.get("EWMS_WORKER"):
    os._exit(9)


def consume(body: Any) -> Any:
    return body
