"""What is never uploaded with a workflow's code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

FILE = ".ewmsignore"
"""In a workflow's folder: patterns of names or of paths relative to it, one a line; `#` begins a comment."""
_ALWAYS = ("__pycache__", "*.pyc", ".*", "node_modules", "*.egg-info")
_MARKS = ("pyvenv.cfg", ".ewms", "secrets/operator.token", "store.sqlite")
"""What a virtual environment, a run directory, and the data folder of a service, which is full of secrets, hold."""


class Ignore:
    """Hidden files, caches, virtual environments, run directories, a service's data, and what `.ewmsignore` there names.

    Parameters
    ----------
    folder
        Of the workflow.
    besides
        Files and folders that are not code, such as inputs.
    """

    def __init__(self, folder: Path, besides: Iterable[Path] = ()) -> None:
        self._folder = folder
        self._besides = {path.resolve() for path in besides}
        self._patterns = (*_ALWAYS, *_listed(folder / FILE))

    def files_below(self, path: Path) -> Iterator[Path]:
        """Every file in a folder that is not ignored, or the file itself, in the order of names."""
        if path.is_file():
            yield path
            return
        for entry in sorted(path.iterdir()):
            if not self._covers(entry):
                yield from self.files_below(entry)

    def _covers(self, path: Path) -> bool:
        relative = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.name
        if any(fnmatch(path.name, pattern) or fnmatch(relative, pattern) for pattern in self._patterns):
            return True
        if path.resolve() in self._besides or not path.exists():
            return True
        return any(path.joinpath(mark).exists() for mark in _MARKS)


def _listed(path: Path) -> Iterator[str]:
    if path.is_file():
        for line in path.read_text("utf-8", "replace").splitlines():
            pattern = line.partition("#")[0].strip().strip("/")
            if pattern:
                yield pattern
