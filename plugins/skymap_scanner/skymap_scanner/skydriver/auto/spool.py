"""Partial results on their way: the driver replaces them each second, and a target may be away for longer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from skymap_scanner.skydriver.auto.atomic import write_atomically


class Spool:
    """A folder of folders of files. Synchronous: for threads. Raises `OSError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, scan_id: str, number: int, files: Mapping[str, bytes]) -> None:
        """Keep one partial result of a scan, whole or not at all."""
        place = self._place(scan_id, number)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
        for name, content in files.items():
            write_atomically(draft / quote(name, safe=""), content)
        draft.rename(place)

    def forget_before(self, scan_id: str, number: int) -> None:
        """Remove the partial results of a scan that nobody needs any more."""
        for other in self._place(scan_id, number).parent.iterdir():
            if not other.name.startswith(".") and int(other.name) < number:
                shutil.rmtree(other, ignore_errors=True)

    def get(self, scan_id: str, number: int) -> dict[str, bytes]:
        """A partial result by name of its files; `FileNotFoundError` where it has given way to another."""
        return {unquote(path.name): path.read_bytes() for path in sorted(self._place(scan_id, number).iterdir())}

    def forget(self, scan_id: str) -> None:
        """Remove all of a scan."""
        shutil.rmtree(self._place(scan_id, 0).parent, ignore_errors=True)

    def _place(self, scan_id: str, number: int) -> Path:
        return self._folder / quote(scan_id, safe="") / str(number)
