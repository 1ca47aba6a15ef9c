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

SCANS = Path(__file__).parents[2] / "plugins" / "skymap_scanner" / "docs" / "pictures"
SCANS_SHOWN = ("web-scan-new", "web-scan-running-16", "web-scan", "web-scan-pixel", "web-scan-dark", "web-scan-compare")


def copy() -> list[str]:
    """Copy what is there; the names of those that are not."""
    PICTURES.mkdir(exist_ok=True)
    places = dict.fromkeys(SHOWN, PICTURES) | dict.fromkeys(SCANS_SHOWN, SCANS)
    for name, folder in places.items():
        if (ARTEFACTS / f"{name}.png").exists():
            shutil.copy(ARTEFACTS / f"{name}.png", folder)
    return [name for name, folder in places.items() if not (folder / f"{name}.png").exists()]


if __name__ == "__main__":
    if missing := copy():
        sys.exit(f"run the tests of pages first, there are no pictures of: {', '.join(missing)}")
