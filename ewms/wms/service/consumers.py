"""Whether the consumers of a new workflow can be there, as far as that is known without running anybody's code."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from pathlib import PurePosixPath

from ewms.core.errors import ConsumerError
from ewms.core.service.files import CODE
from ewms.core.sources import check_defined
from ewms.core.spec import WorkflowSpec
from ewms.wms.files import Files

_GROUP = "ewms.applications"
_MOST_BYTES = 4 << 20
"""Of a source that is looked into."""


class Consumers:
    """Looks for modules in a workflow's uploads, and among what is installed here. Synchronous: for threads.

    Parameters
    ----------
    uploads
        Name to sha256.
    files
        Where the contents are.
    """

    def __init__(self, uploads: Mapping[str, str], files: Files) -> None:
        self._code = {name.removeprefix(CODE): digest for name, digest in uploads.items() if name.startswith(CODE)}
        self._files = files

    def check(self, spec: WorkflowSpec, *, pilots_here: bool) -> None:
        """`ConsumerError` in one line for a consumer or an application that cannot be there.

        Parameters
        ----------
        pilots_here
            All pilots run on this machine, so that a module which is neither uploaded nor installed here is nowhere.
        """
        for task in spec.tasks:
            if task.python is not None:
                self._check(task.python, f"task '{task.name}'", must_be_here=pilots_here)
        if spec.application is not None and spec.application not in _applications():
            self._check(spec.application, "the application", must_be_here=True)

    def _check(self, reference: str, where: str, *, must_be_here: bool) -> None:
        module, _, attribute = reference.rpartition(":")
        if module.endswith(".py"):
            self._look_into(str(PurePosixPath(module)), attribute, module, where)
            return
        top = module.partition(".")[0]
        if any(name == f"{top}.py" or name.startswith(f"{top}/") for name in self._code):
            path = module.replace(".", "/")
            found = next((name for name in (f"{path}.py", f"{path}/__init__.py") if name in self._code), f"{path}.py")
            self._look_into(found, attribute, module, where)
        elif must_be_here and not _is_installed(top):
            raise ConsumerError(f"{where}: there is no module '{module}'; upload it as {CODE}{top}.py, or have it installed")

    def _look_into(self, path: str, attribute: str, module: str, where: str) -> None:
        digest = self._code.get(path)
        if digest is None:
            raise ConsumerError(f"{where}: {CODE}{path} is not among the uploaded files; upload it, or correct '{module}'")
        with self._files.open(digest) as stream:
            source = stream.read(_MOST_BYTES + 1)
        if len(source) <= _MOST_BYTES:
            check_defined(source, attribute, module=module, place=CODE + path, where=where)


def _applications() -> set[str]:
    return {entry.value for entry in importlib.metadata.entry_points(group=_GROUP)}


def _is_installed(top: str) -> bool:
    """Whether there is such a top-level module; it is not imported."""
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
