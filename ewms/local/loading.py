"""From what a user names to a workflow that can run: TOML file, folder, `module:attribute` or an installed application."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ewms.core.application import Application
from ewms.core.errors import EwmsError, InputError, SpecError
from ewms.core.graph import Graph, build_graph
from ewms.core.spec import TaskSpec, WorkflowSpec, parse_spec
from ewms.local.consumers import check_importable, reference_to
from ewms.local.inputs import PlainApplication
from ewms.local.workflow import Workflow
from ewms.pilot.containers.check import check_here

_SPEC_FILE = "workflow.toml"
_GROUP = "ewms.applications"
AnyApplication = Application[Any, Any, Any]


class Loaded:
    """A checked workflow.

    Parameters
    ----------
    spec
        As the user gave it; stored with the workflow.
    search_path
        Folders in which its modules are importable.
    where
        What error messages call it.
    factory
        The application's class where it is not named in the spec.
    pilots_here
        Pilots run on this machine, so that what they need must be here.
    """

    def __init__(
        self,
        spec: WorkflowSpec,
        search_path: Sequence[str] = (),
        where: str = "workflow",
        factory: Callable[..., AnyApplication] | None = None,
        *,
        pilots_here: bool = True,
    ) -> None:
        self.search_path = tuple(search_path)
        self.where = where
        self._factory = factory
        if spec.application is not None and factory is None:
            with importable(self.search_path):
                self._factory = _application_class(spec.application, where)
        if not spec.tasks and self._factory is not None:
            tasks = _tasks_of(self._factory, spec.name, where)
            spec = spec.model_copy(update={"tasks": tasks, "inputs": spec.inputs or _unfed(tasks)})
        self.spec = spec
        self.graph: Graph = build_graph(spec)
        for task in spec.tasks if pilots_here else ():
            if task.python is not None:
                check_importable(task.python, self.search_path, f"{where}: task '{task.name}'")
            if task.container is not None:
                check_here(task.container, self.search_path[0] if self.search_path else "", f"{where}: task '{task.name}'")

    @property
    def has_application(self) -> bool:
        """Whether an application makes the events."""
        return self._factory is not None

    def application(self, inputs: Sequence[Path]) -> AnyApplication:
        """A new instance of the application; `SpecError` for parameters that it does not take."""
        if self._factory is None:
            if self.spec.parameters:
                raise SpecError(
                    f"{self.where}: parameter '{next(iter(self.spec.parameters))}' is for applications; there is none"
                )
            return PlainApplication(inputs, self.graph.sources)
        with importable(self.search_path):
            try:
                return self._factory(inputs=inputs, **self.spec.parameters)
            except EwmsError:
                raise
            except (TypeError, ValueError, OSError) as error:
                raise SpecError(f"{self.where}: the application refuses its parameters or inputs: {error}") from error


def load(
    name: str, settings: Mapping[str, Any] | None = None, folder: Path | None = None, *, pilots_here: bool = True
) -> Loaded:
    """Find a workflow by what a user typed, with `--set` settings applied, as seen from a folder (default: the current one).

    `pilots_here` as in `Loaded`. Raises `SpecError` or `ConsumerError`, in one line.
    """
    here = folder or Path.cwd()
    path = here / name
    if path.is_dir():
        path = path / _SPEC_FILE
        if not path.is_file():
            raise SpecError(f"folder {name} holds no {_SPEC_FILE}")
    if path.suffix == ".py":
        raise SpecError(f"{name} is a Python file; name a workflow in it, as in {path.stem}:NAME, or write a {_SPEC_FILE}")
    if path.suffix == ".toml" or path.is_file():
        return _load_toml(path, settings or {}, pilots_here=pilots_here)
    if ":" in name:
        return _load_reference(name, settings or {}, here, pilots_here=pilots_here)
    entries = importlib.metadata.entry_points(group=_GROUP)
    if name in entries.names:
        return _load_reference(entries[name].value, settings or {}, here, name, pilots_here=pilots_here)
    known = ", ".join(sorted(entries.names)) or "none"
    raise SpecError(
        f"'{name}' is no TOML file, no folder with a {_SPEC_FILE}, no module:attribute and no installed application "
        f"(installed: {known})"
    )


def _load_toml(path: Path, settings: Mapping[str, Any], *, pilots_here: bool) -> Loaded:
    try:
        with path.open("rb") as stream:
            document = tomllib.load(stream)
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is not valid TOML: {error}") from error
    search_path = [str(path.resolve().parent)]
    _add_own_tasks(document, settings, search_path, str(path))
    apply_settings(document, settings, str(path))
    return Loaded(parse_spec(document, str(path)), search_path, str(path), pilots_here=pilots_here)


def _load_reference(
    reference: str, settings: Mapping[str, Any], folder: Path, name: str | None = None, *, pilots_here: bool
) -> Loaded:
    search_path = [str(folder)]
    with importable(search_path):
        found = _attribute(reference, reference)
    if isinstance(found, type) and issubclass(found, Application):
        document: dict[str, Any] = {"name": found.name or name or found.__name__.lower(), "application": reference}
    else:
        loaded = load_object(found, search_path, pilots_here=pilots_here)
        if loaded is None:
            raise SpecError(f"{reference} is neither an ewms.Workflow, a WorkflowSpec nor an Application class")
        document = loaded.spec.model_dump(mode="json", exclude_unset=True)
    _add_own_tasks(document, settings, search_path, reference)
    apply_settings(document, settings, reference)
    return Loaded(parse_spec(document, reference), search_path, reference, pilots_here=pilots_here)


def load_object(found: object, search_path: Sequence[str], *, pilots_here: bool = True) -> Loaded | None:
    """A checked workflow from a `Workflow`, a spec or an application; None for anything else."""
    if isinstance(found, Application):
        found = type(found)
    if isinstance(found, type) and issubclass(found, Application):
        name = found.name or found.__name__.lower()
        return Loaded(WorkflowSpec(name=name), search_path, f"application {name}", found, pilots_here=pilots_here)
    if isinstance(found, Workflow):
        found = found.spec()
    if isinstance(found, WorkflowSpec):
        return Loaded(found, search_path, f"workflow {found.name}", pilots_here=pilots_here)
    return None


def _add_own_tasks(document: dict[str, Any], settings: Mapping[str, Any], search_path: Sequence[str], where: str) -> None:
    """Write the tasks that an application brings itself into a spec where settings are to change them."""
    reference = document.get("application")
    if isinstance(reference, str) and "tasks" not in document and any(key.startswith("tasks.") for key in settings):
        with importable(search_path):
            tasks = _tasks_of(_application_class(reference, where), str(document.get("name", "")), where)
        document["tasks"] = [task.model_dump(mode="json", exclude_unset=True) for task in tasks]
        document.setdefault("inputs", _unfed(tasks))


def apply_settings(document: dict[str, Any], settings: Mapping[str, Any], where: str) -> None:
    """Put `--set` settings into a spec: `tasks.NAME.key` and the spec's own keys in place, all others as parameters."""
    for key, value in settings.items():
        parts = key.split(".")
        if parts[0] == "tasks":
            _set_in_task(document, parts, value, where)
        elif parts[0] in WorkflowSpec.model_fields:
            _set_at(document, parts, value)
        else:
            document.setdefault("parameters", {})[key] = value


def _set_in_task(document: dict[str, Any], parts: list[str], value: Any, where: str) -> None:
    if len(parts) < 3:
        raise SpecError(f"{where}: --set {'.'.join(parts)}: write tasks.NAME.KEY=VALUE")
    for task in document.get("tasks", ()):
        if task.get("name") == parts[1]:
            _set_at(task, parts[2:], value)
            return
    raise SpecError(f"{where}: --set {'.'.join(parts)}: there is no task '{parts[1]}'")


def _set_at(table: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise SpecError(f"--set {'.'.join(parts)}: '{part}' is not a table")
    table[parts[-1]] = value


def _application_class(reference: str, where: str) -> Callable[..., AnyApplication]:
    found = _attribute(reference, where)
    if not (isinstance(found, type) and issubclass(found, Application)):
        raise SpecError(f"{where}: application '{reference}' is not a subclass of ewms.Application")
    return found


def _tasks_of(factory: Callable[..., AnyApplication], name: str, where: str) -> tuple[TaskSpec, ...]:
    tasks = tuple(getattr(factory, "tasks", ()))
    if tasks:
        return tasks
    consumer = getattr(factory, "consumer", "")
    if not consumer:
        raise SpecError(f"{where}: the application names neither tasks nor a consumer")
    return (TaskSpec(name=name, python=reference_to(consumer), input="events", output=("outcomes",)),)


def _unfed(tasks: Sequence[TaskSpec]) -> tuple[str, ...]:
    """Queues that no task fills. An application names the queue of every event itself, so it may fill them all."""
    written = {queue for task in tasks for queue in task.output}
    return tuple(task.input for task in tasks if task.input not in written)


def _attribute(reference: str, where: str) -> Any:
    module, _, attribute = reference.rpartition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"{where}: '{reference}' cannot be imported: {error}") from error
    except (OSError, TypeError, NameError, SyntaxError) as error:
        raise SpecError(f"{where}: importing '{module}' raised {type(error).__name__}: {error}") from error
    return found


@contextmanager
def importable(folders: Sequence[str]) -> Iterator[None]:
    """Modules in these folders can be imported meanwhile."""
    added = [folder for folder in folders if folder not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)


def existing_inputs(paths: Sequence[str | Path]) -> list[Path]:
    """The inputs as absolute paths; `InputError` for one that is not there."""
    found = []
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise InputError(f"input {text} does not exist")
        found.append(path.resolve())
    return found
