"""The workflow spec: what a user declares, from TOML or from Python. Pure; files are read in `ewms.local.loading`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ewms.core.container import ContainerSpec, InitSpec, check_environment
from ewms.core.errors import SpecError
from ewms.core.retry import RetryPolicy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_CONSUMER = re.compile(r"(?P<module>[^:]+):(?P<attribute>[A-Za-z_][A-Za-z0-9_.]*)")
_UNITS = {"": 1, "B": 1} | {
    prefix + suffix: (1024 if "i" in suffix else 1000) ** power
    for power, prefix in enumerate("KMGT", start=1)
    for suffix in ("B", "iB")
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)\s*", re.ASCII)


def parse_size(text: Any) -> Any:
    """Bytes behind `"2 GiB"`, `"500MB"` or a number; `ValueError` for anything else that is a string."""
    if not isinstance(text, str):
        return text
    match = _SIZE.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write for example 500 MB or 2 GiB")
    return int(float(match[1]) * _UNITS[match[2]])


def check_name(name: str) -> str:
    """The name itself; `ValueError` if it is not 1 to 64 letters, digits, `_` or `-`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name: use 1 to 64 letters, digits, _ or -, the first no dash")
    return name


Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1)]
Name = Annotated[str, Field(description="1 to 64 letters, digits, _ or -")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ResourceSpec(_Strict):
    """What one worker of a task needs; memory is also a limit that is enforced."""

    cpus: int = Field(default=1, ge=1)
    """Cores."""
    memory: Size | None = None
    """Bytes, or text such as `"2 GiB"`. A task that uses more is killed and has failed."""
    disk: Size | None = None
    """Bytes of scratch space, or text such as `"10 GiB"`."""
    gpus: int = Field(default=0, ge=0)
    """Graphics processors."""


class TaskSpec(_Strict):
    """One node of the graph: reads one queue, applies one consumer, writes any number of queues."""

    name: Name
    """Unique in the workflow."""
    python: str | None = None
    """`module:callable`, `path/to/file.py:callable` or an installed module's; a class is built once per process."""
    command: tuple[str, ...] | None = None
    """Program and arguments, no shell; `{{INFILE}}`, `{{OUTFILE}}` and `{{DATA_HUB}}` are replaced."""
    container: ContainerSpec | None = None
    """An image that is run, in place of `python` and `command`."""
    input: Name
    """The queue that it reads; no two tasks read the same."""
    output: tuple[Name, ...] = ()
    """The queue or queues that its results go to."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds that one event may take before its whole process group is killed."""
    retry: RetryPolicy = RetryPolicy()
    """How often an event is tried again."""
    resources: ResourceSpec = ResourceSpec()
    """What a worker needs."""
    environment: dict[str, str] = {}
    """Environment variables of the task, beside the pilot's own."""
    codec: str = "json"
    """How results that are neither bytes nor numpy arrays are encoded: `json` or `msgpack`."""
    bundle: int | Literal["auto"] = "auto"
    """Most events in one message; `auto` measures the run time first."""
    speculate: bool = True
    """Whether a straggler near the end may be run a second time elsewhere."""
    infile_suffix: str = ".in"
    """Suffix of a command's input file; `.json` writes the body as JSON."""
    outfile_suffix: str = ".out"
    """Suffix of a command's output file; `.json` reads an object from it."""
    okay_exit_codes: tuple[int, ...] = (0,)
    """Exit codes of a command that mean success."""

    @field_validator("output", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("name", "input")
    @classmethod
    def _check_name(cls, value: str) -> str:
        return check_name(value)

    @field_validator("output")
    @classmethod
    def _check_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_name(name) for name in value)

    @field_validator("python")
    @classmethod
    def _check_consumer(cls, value: str | None) -> str | None:
        if value is not None and not _CONSUMER.fullmatch(value):
            raise ValueError(f"{value!r} is not of the form module:callable")
        return value

    @field_validator("bundle")
    @classmethod
    def _check_bundle(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("bundle must be at least 1 or 'auto'")
        return value

    @field_validator("codec")
    @classmethod
    def _check_codec(cls, value: str) -> str:
        if value not in {"json", "msgpack"}:
            raise ValueError(f"codec {value!r} is unknown; use json or msgpack")
        return value

    @model_validator(mode="after")
    def _one_executor(self) -> Self:
        if sum(consumer is not None for consumer in (self.python, self.command, self.container)) != 1:
            raise ValueError(f"task '{self.name}' needs a consumer: exactly one of python =, command = and container =")
        if self.command is not None and not self.command:
            raise ValueError(f"command of task '{self.name}' is empty")
        if self.container is not None:
            check_environment(self.environment)
        return self


_INNER: dict[str, type[BaseModel]] = {
    "tasks": TaskSpec,
    "retry": RetryPolicy,
    "resources": ResourceSpec,
    "container": ContainerSpec,
    "init": InitSpec,
}


class WorkflowSpec(_Strict):
    """What a workflow is: tasks over named queues, optionally an application on top."""

    name: Name
    """Short name; part of what people see, not of any identity."""
    tasks: tuple[TaskSpec, ...] = ()
    """At least one, unless the application brings its own."""
    application: str | None = None
    """`module:Class` of an `ewms.Application`; none means that `--input` is all there is to send."""
    parameters: dict[str, Any] = {}
    """Keyword arguments of the application; `--set KEY=VALUE` changes them."""
    inputs: tuple[Name, ...] = ()
    """Queues that are filled from outside; may be left out where there is only one."""
    outputs: tuple[Name, ...] = ()
    """Queues whose events are the product; where given, every other queue must have a reader."""
    window: int = Field(default=16384, ge=1)
    """Sending pauses while this many events are unfinished."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        return check_name(value)


def parse_spec(document: Mapping[str, Any], where: str) -> WorkflowSpec:
    """A checked spec from plain data; `SpecError` with the place, the key and what to do in one line."""
    try:
        return WorkflowSpec.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SpecError(f"{where}: {_explain(first, document)}") from error


def _explain(problem: Any, document: Mapping[str, Any]) -> str:
    task, key = _place(problem["loc"], document)
    match problem["type"]:
        case "extra_forbidden":
            complaint = f"unknown key '{key}'; {_known_keys(problem['loc'])}"
        case "missing":
            complaint = f"key '{key}' is missing"
        case "value_error":
            complaint = f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case _:
            complaint = f"{key}: {problem['msg']}, not {problem['input']!r:.80}"
    return task + complaint


def _place(location: tuple[str | int, ...], document: Mapping[str, Any]) -> tuple[str, str]:
    """In which task, by its name, and at which key something is wrong; the task is empty outside of one."""
    task, keys = "", location
    if len(location) > 2 and location[0] == "tasks" and isinstance(location[1], int):
        name = document["tasks"][location[1]].get("name")
        if isinstance(name, str):
            task, keys = f"task '{name}': ", location[2:]
    return task, ".".join(str(key) for key in keys)


def _known_keys(location: tuple[str | int, ...]) -> str:
    model: type[BaseModel] = WorkflowSpec
    for part, inner in _INNER.items():
        if part in location[:-1]:
            model = inner
    near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(model.model_fields)}"
