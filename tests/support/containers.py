"""Container tools for tests, in a sandbox that allows less than a user's machine does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.support import images

APPTAINER_HOME = Path(os.environ.get("EWMS_TEST_APPTAINER", Path.home() / ".cache/ewms-tests/apptainer"))
"""Where `tests/support/install-apptainer.sh` puts it."""
_CACHE = Path.home() / ".cache/ewms-tests/images"
_PODMAN_SETTINGS = """\
[engine]
runtime = "runc"  # crun refuses hybrid cgroups
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]  # higher ones need CAP_SYS_RESOURCE
"""


class Engine(NamedTuple):
    """A tool, and an image that it can run."""

    tool: str
    """As in `ContainerSpec.tool`."""
    image: str
    """With Python's standard library alone."""
    shell: str
    """With a shell alone."""


def why_no_podman() -> str | None:
    """Why it cannot be used here."""
    missing = [program for program in ("podman", "runc") if shutil.which(program) is None]
    return f"{' and '.join(missing)} missing; apt-get install --no-install-recommends podman runc" if missing else None


def why_no_apptainer() -> str | None:
    """Why it cannot be used here."""
    if shutil.which("apptainer", path=_apptainer_path()) is None:
        return "apptainer is missing; run tests/support/install-apptainer.sh"
    return None


def environment(folder: Path) -> dict[str, str]:
    """Variables by which the tools work in a container or virtual machine without all rights; keeps a file in the folder."""
    settings = folder / "containers.conf"
    settings.write_text(_PODMAN_SETTINGS)
    return {"CONTAINERS_CONF": str(settings), "APPTAINER_USERNS": "1", "PATH": _apptainer_path()}


def podman_images() -> tuple[str, str]:
    """Names of the image with Python and the one with a shell alone, imported when first needed on this machine."""
    return _imported("python"), _imported("shell")


def folder_images() -> tuple[str, str]:
    """The same as sandbox folders, which nobody may change."""
    return str(root_folder("python")), str(root_folder("shell"))


def root_folder(kind: str) -> Path:
    """A root file system, unpacked when first needed on this machine."""
    folder = _CACHE / f"{kind}-{_recipe()}"
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=_CACHE))
        with tarfile.open(_written(kind, partial)) as archive:
            archive.extractall(partial / "root", filter="fully_trusted")
        with contextlib.suppress(OSError):  # another process of this session was faster
            (partial / "root").rename(folder)
        shutil.rmtree(partial)
    return folder


def commands() -> str:
    """What runs or ran in all podman containers that pilots have started and that are still there."""
    argv = ["podman", "ps", "--all", "--no-trunc", "--filter", "label=ewms.pilot", "--format", "{{.Command}}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _imported(kind: str) -> str:
    name = f"localhost/ewms-test-{kind}:{_recipe()}"
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode:
        with tempfile.TemporaryDirectory() as folder:
            argv = ["podman", "import", "--quiet", str(_written(kind, Path(folder))), name]
            subprocess.run(argv, check=True, capture_output=True)
    return name


def _recipe() -> str:
    return hashlib.sha256(Path(images.__file__).read_bytes() + sys.version.encode()).hexdigest()[:12]


def _written(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.tar"
    (images.write_python if kind == "python" else images.write_shell)(path)
    return path


def _apptainer_path() -> str:
    return f"{APPTAINER_HOME / 'usr/bin'}:{os.environ.get('PATH', '')}"
