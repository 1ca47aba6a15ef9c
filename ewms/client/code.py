"""Which files of the user's own a workflow's code needs: what it imports, found without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ewms.client.ignore import FILE, Ignore
from ewms.core.errors import ConsumerError, InputError
from ewms.core.spec import TaskSpec, WorkflowSpec

MAX_FILES = 2000
"""Most files of code of a workflow."""
MAX_BYTES = 64 << 20
"""Most bytes of code of a workflow."""
_EVERYWHERE = sys.stdlib_module_names | {"ewms"}


class Code:
    """The code of a workflow: files by the names under which its pilots find them.

    A module brings what it imports, a package everything in it. What is in none of the folders is taken for installed where
    the pilots run.

    Parameters
    ----------
    folders
        Where the user's own modules are; the first is the workflow's.
    besides
        Files and folders that are not code, such as inputs.
    """

    def __init__(self, folders: Sequence[Path], besides: Iterable[Path] = ()) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._ignore = Ignore(self._folders[0], besides)
        self._bytes = 0
        self.files: dict[str, Path] = {}
        """Relative name to file."""

    def add_workflow(self, spec: WorkflowSpec) -> WorkflowSpec:
        """Add what a workflow names; the spec as it is to be told to others, with files by their names.

        Raises
        ------
        ConsumerError
            A file of its code has a mistake, or lies elsewhere.
        """
        if spec.application is not None:
            self._add_module(spec.application.rpartition(":")[0])
        return spec.model_copy(update={"tasks": tuple(self._added(task) for task in spec.tasks)})

    def include(self, patterns: Iterable[str]) -> None:
        """Add files and folders that the user names, relative to the workflow's; `InputError` where there are none."""
        for pattern in patterns:
            found = sorted(self._folders[0].glob(pattern))
            if not found:
                raise InputError(f"nothing in {self._folders[0]} is called '{pattern}'; name files or folders in it")
            for path in found:
                self._take_all(path, self._folders[0])

    def add_folder(self) -> None:
        """Add everything in the workflow's folder; `InputError` where it is too much."""
        self._take_all(self._folders[0], self._folders[0], are_used=False)

    def _added(self, task: TaskSpec) -> TaskSpec:
        for argument in task.command or ():
            path = self._folders[0] / argument
            if argument and path.is_file() and path.resolve().is_relative_to(self._folders[0]):
                self._take(path.resolve(), self._folders[0])
        if task.python is None:
            return task
        place, _, attribute = task.python.rpartition(":")
        if not place.endswith(".py"):
            self._add_module(place)
            return task
        return task.model_copy(update={"python": f"{self._add_script(place)}:{attribute}"})

    def _add_script(self, place: str) -> str:
        path = (self._folders[0] / place).resolve()
        if not path.is_file():
            raise ConsumerError(f"there is no file {place}")
        for folder in self._folders:
            if path.is_relative_to(folder):
                self._take(path, folder)
                return path.relative_to(folder).as_posix()
        raise ConsumerError(f"{place} is not below {self._folders[0]}; submit from its folder, so that it can be uploaded")

    def _add_module(self, name: str) -> None:
        """Add a module with the packages around it, if it is one of the user's own."""
        parts = name.split(".")
        if parts[0] in _EVERYWHERE:
            return
        for folder in self._folders:
            if folder.joinpath(parts[0]).is_dir() or folder.joinpath(f"{parts[0]}.py").is_file():
                self._add_module_of(folder, parts)
                return

    def _add_module_of(self, folder: Path, parts: Sequence[str]) -> None:
        for number in range(1, len(parts) + 1):
            path = folder.joinpath(*parts[:number])
            if path.joinpath("__init__.py").is_file():
                self._take_all(path, folder)
            elif path.with_name(f"{path.name}.py").is_file():
                self._take(path.with_name(f"{path.name}.py"), folder)

    def _take_all(self, path: Path, folder: Path, *, are_used: bool = True) -> None:
        for file in self._ignore.files_below(path):
            self._take(file, folder, is_used=are_used)

    def _take(self, path: Path, folder: Path, *, is_used: bool = True) -> None:
        """Add a file; what it imports too, if it is a module that is used."""
        relative = path.relative_to(folder)
        name = relative.as_posix()
        if name in self.files:
            return
        self.files[name] = path
        self._bytes += path.stat().st_size
        if len(self.files) > MAX_FILES or self._bytes > MAX_BYTES:
            raise InputError(
                f"the workflow's code is more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB (at {path}); "
                f"give data as --input, and name in {folder / FILE} what is not needed"
            )
        if is_used and path.suffix == ".py":
            for module in _imports(path, relative.parent.parts):
                self._add_module(module)


def _imports(path: Path, package: Sequence[str]) -> Iterator[str]:
    """Modules that a file imports anywhere, by full names; a name taken from a module may be a module itself."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        place = f" line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else f": {error}"
        raise ConsumerError(f"{path}{place}; correct it") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else ())))
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)
