"""The settings of an EWMS pilot that make its task: `EWMS_PILOT_*` variables by EWMS's names, read. Pure.

The pilot reads its own environment with them, the service what a request of EWMS's sends along.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ewms.core.errors import InputError
from ewms.core.spec import TaskSpec

logger = logging.getLogger("ewms.pilot.environment")

PREFIX = "EWMS_PILOT_"
_NOT_NEEDED = frozenset({
    "PREFETCH", "KEEP_ALL_TASK_FILES", "DUMP_TASK_OUTPUT", "CONTAINER_DEBUG", "CL_LOG_THIRD_PARTY"
})  # fmt: skip
"""Settings of EWMS that are accepted and mean nothing here."""
_OLD_TIMEOUT = "SUBPROC_TIMEOUT"
_YES, _NO = frozenset({"1", "true", "yes", "y", "on"}), frozenset({"0", "false", "no", "n", "off", ""})
T = TypeVar("T")


class Variables:
    """Looks variables up, and remembers which ones it knows."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known = {PREFIX + name for name in _NOT_NEEDED}

    def get(self, name: str, read: Callable[[str], T], default: T | Any, prefix: str = PREFIX) -> T | Any:
        """The value that `read` makes of a variable; the default where it is not set or empty."""
        self._known.add(prefix + name)
        text = self._environment.get(prefix + name, "").strip()
        if not text:
            return default
        try:
            return read(text)
        except ValueError as error:
            raise InputError(f"environment variable {prefix}{name} is wrong: {error}") from None

    def required(self, name: str) -> str:
        """A text that must be there."""
        text: str = self.get(name, str, "")
        if not text:
            raise InputError(f"environment variable {PREFIX}{name} is not set; the pilot needs it")
        return text

    def tell_of_unknown(self) -> None:
        """Warn of what looks like a setting and is none."""
        for name in sorted(self._environment):
            if name.startswith(PREFIX) and name not in self._known:
                near = difflib.get_close_matches(name, self._known, n=1)
                logger.warning("setting_unknown name=%s%s", name, f" did you mean {near[0]}?" if near else "")


def task_of(variables: Variables) -> TaskSpec:
    """The task that the settings make; its name and queues are placeholders.

    Raises `InputError` naming the variable that is missing or wrong, without its value, which may be a secret.
    """
    old_timeout = variables.get(_OLD_TIMEOUT, read_seconds, None)
    if old_timeout is not None:
        logger.warning("setting_old name=%s%s use %sTASK_TIMEOUT", PREFIX, _OLD_TIMEOUT, PREFIX)
    container: dict[str, Any] = {
        "image": _image(variables.required("TASK_IMAGE")),
        "arguments": variables.get("TASK_ARGS", shlex.split, []),
        "mounts": variables.get("EXTERNAL_DIRECTORIES", read_list, []),
        "network": variables.get("TASK_NETWORK", read_flag, True),
        "warm": variables.get("TASK_WARM", str, "no"),
        "tool": variables.get("CONTAINER_PLATFORM", str, "auto", prefix=f"_{PREFIX}"),
    }
    init = {
        "image": _image(variables.get("INIT_IMAGE", str, "")),
        "arguments": variables.get("INIT_ARGS", shlex.split, []),
        "environment": variables.get("INIT_ENV_JSON", _json_table, {}),
        "timeout": variables.get("INIT_TIMEOUT", read_seconds, None),
    }
    if init["image"]:
        container["init"] = init
    document = {
        "name": "task",
        "input": "incoming",
        "output": ["outgoing"],
        "container": container,
        "environment": variables.get("TASK_ENV_JSON", _json_table, {}),
        "timeout": variables.get("TASK_TIMEOUT", read_seconds, old_timeout),
        "infile_suffix": variables.get("INFILE_EXT", _suffix, ".in"),
        "outfile_suffix": variables.get("OUTFILE_EXT", _suffix, ".out"),
        "retry": {"max_failures": variables.get("MAX_FAILURES", read_count, 3)},
    }
    try:
        return TaskSpec.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"the pilot's environment makes no task: {place}: {first['msg']}") from None


def read_list(text: str) -> list[str]:
    """Values between `;` or `,`."""
    return [part.strip() for part in re.split("[;,]", text) if part.strip()]


def _image(text: str) -> str:
    """EWMS takes anything that exists for a folder, and `docker://` for a name."""
    return text.removeprefix("docker://")


def _suffix(text: str) -> str:
    return text if text.startswith(".") else f".{text}"


def read_flag(text: str) -> bool:
    """A truth value; `ValueError` for anything else, as with the readers below."""
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError("it is neither true nor false")


def read_seconds(text: str) -> float:
    """A time above 0."""
    seconds = read_duration(text)
    if seconds == 0:
        raise ValueError("it must be more than 0 seconds")
    return seconds


def read_duration(text: str) -> float:
    """A time from 0."""
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("it is no number of seconds") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError("it is no number of seconds")
    return seconds


def read_count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("it must be a whole number from 1")
    return int(text)


def _json_table(text: str) -> dict[str, str]:
    try:
        table = json.loads(text)
    except ValueError:
        raise ValueError("it is not valid JSON") from None
    if not isinstance(table, dict) or not all(isinstance(value, str | int | float) for value in table.values()):
        raise ValueError("it must be a JSON object of texts and numbers")
    return {name: str(value) for name, value in table.items()}
