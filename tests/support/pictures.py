"""`python -m tests.support.pictures`: copies the screenshots that the documentation shows from what the last tests left."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support.browser import ARTEFACTS

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SHOWN = (
    "web-workflows",
    "web-workflow",
    "web-workflow-dark",
    "web-workflow-phone",
    "web-failures",
    "web-dead-letter",
    "web-system",
)


def copy() -> list[str]:
    """Copy what is there; the names of those that are not."""
    PICTURES.mkdir(exist_ok=True)
    for name in SHOWN:
        if (ARTEFACTS / f"{name}.png").exists():
            shutil.copy(ARTEFACTS / f"{name}.png", PICTURES)
    return [name for name in SHOWN if not (PICTURES / f"{name}.png").exists()]


if __name__ == "__main__":
    if missing := copy():
        sys.exit(f"run tests/acceptance/web first, there are no pictures of: {', '.join(missing)}")
