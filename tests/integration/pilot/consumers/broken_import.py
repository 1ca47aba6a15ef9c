"""Cannot be imported."""

from __future__ import annotations

from typing import Any

import there_is_no_such_module  # type: ignore[import-not-found]


def consume(body: Any) -> Any:
    return there_is_no_such_module.consume(body)
