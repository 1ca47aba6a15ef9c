"""A container image made of this machine's own interpreter: Python's standard library, a shell and nothing else."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

_LEFT_OUT = {
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
    "unittest",
}
_LEFT_OUT_MODULES = re.compile(r"_(test|tkinter|curses|xx|ctypes_test)|xx|nis|readline")
_LIBRARIES = "usr/lib"
_FOLDERS = ("dev", "etc", "ewms", "proc", "root", "sys", "tmp", "usr/bin", "usr/lib", "var/tmp")
_FILES = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n", "etc/hosts": "127.0.0.1 localhost\n"}
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")


class _Root:
    """An archive that grows into a root file system."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._names: set[str] = set()

    def folder(self, name: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        self._archive.addfile(entry)

    def text(self, name: str, text: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text), 0o644
        self._archive.addfile(entry, io.BytesIO(text.encode()))

    def file(self, path: Path, name: str) -> None:
        """A file under another name, with the libraries that it needs."""
        if name in self._names:
            return
        self._names.add(name)
        self._archive.add(path.resolve(), name, recursive=False)
        if path.suffix != ".py" and path.suffix != ".pyc":
            self._libraries_of(path)

    def _libraries_of(self, path: Path) -> None:
        shown = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
        for library in map(Path, _LIBRARY.findall(shown)):
            in_place = str(library).startswith(("/lib64/", "/lib/ld-"))  # the loader's path is written into programs
            self.file(library, str(library).lstrip("/") if in_place else f"{_LIBRARIES}/{library.name}")


def write_shell(path: Path) -> None:
    """Write a root file system with a shell alone as a tar file, about 2 MB."""
    with tarfile.open(path, "w") as archive:
        _add_shell(_Root(archive))


def write_python(path: Path) -> None:
    """Write a root file system with a shell and Python's standard library as a tar file, about 70 MB."""
    standard = Path(sysconfig.get_path("stdlib"))
    interpreter = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    with tarfile.open(path, "w") as archive:
        root = _Root(archive)
        _add_shell(root)
        root.file(interpreter, "usr/bin/python3")
        for folder, folders, files in os.walk(standard):
            folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")]
            for name in files:
                if _is_wanted(name):
                    source = Path(folder, name)
                    root.file(source, f"{_LIBRARIES}/{standard.name}/{source.relative_to(standard)}")


def _add_shell(root: _Root) -> None:
    for folder in _FOLDERS:
        root.folder(folder)
    for name, text in _FILES.items():
        root.text(name, text)
    root.file(Path("/bin/sh"), "bin/sh")


def _is_wanted(name: str) -> bool:
    return name.endswith((".py", ".pyc", ".so")) and ".opt-" not in name and not _LEFT_OUT_MODULES.match(name)
