"""Which launcher a backend's name means, for one run from the command line."""

from __future__ import annotations

from pathlib import Path

from ewms.local.loading import Loaded
from ewms.tms.launchers.base import Launcher
from ewms.tms.launchers.local import LocalLauncher

BACKENDS = ("local", "htcondor")


def make_launcher(backend: str, loaded: Loaded, folder: Path) -> Launcher:
    """A launcher of pilots of that workflow; must be called inside the event loop.

    Raises `UsageError` where a backend's bindings are not installed, `ConsumerError` where the workflow's code is not found.
    """
    if backend == "local":
        return LocalLauncher(folder)
    from ewms.client.code import Code
    from ewms.tms.backends.htcondor import HtcondorSettings
    from ewms.tms.launchers.htcondor import HtcondorLauncher

    files: dict[str, Path] = {}
    if loaded.search_path:
        code = Code([Path(folder) for folder in loaded.search_path])
        code.add_workflow(loaded.spec)
        files = code.files
    return HtcondorLauncher(folder, HtcondorSettings(), files)
