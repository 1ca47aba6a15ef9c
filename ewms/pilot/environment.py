"""The settings of an EWMS pilot: `EWMS_PILOT_*` variables, by the names and with the meaning that EWMS gave them.

Where our defaults differ, the reason is a defect of the old ones: a pilot does not leave after an idle second, nor because
one event failed.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from pydantic import ValidationError

from ewms.core.errors import InputError
from ewms.core.spec import TaskSpec

logger = logging.getLogger("ewms.pilot.environment")

PREFIX = "EWMS_PILOT_"
_SCHEMES = {"rabbitmq": "amqp", "nats": "nats", "pulsar": "pulsar"}
_NOT_NEEDED = frozenset({
    "PREFETCH", "KEEP_ALL_TASK_FILES", "DUMP_TASK_OUTPUT", "CONTAINER_DEBUG", "CL_LOG_THIRD_PARTY"
})  # fmt: skip
"""Settings of EWMS that are accepted and mean nothing here."""
_OLD_TIMEOUT = "SUBPROC_TIMEOUT"
_YES, _NO = frozenset({"1", "true", "yes", "y", "on"}), frozenset({"0", "false", "no", "n", "off", ""})
T = TypeVar("T")


class Queue(msgspec.Struct, frozen=True):
    """A queue of somebody else's."""

    broker_url: str
    """Where it is; may hold credentials."""
    name: str
    """What the broker calls it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that the environment says."""

    task: TaskSpec
    """The container, its limits and its files."""
    incoming: tuple[Queue, ...]
    """Where events come from."""
    outgoing: tuple[Queue, ...]
    """Where every output goes to."""
    slots: int
    """Events worked on at once."""
    scratch: str
    """Folder for temporary files; empty means the slot's."""
    log_level: str
    """Of the pilot's own log."""
    first_message_patience: float | None
    """Seconds without any event after which the pilot ends; None for ever."""
    idle_patience: float | None
    """The same after the first event."""
    stop_on_error: bool
    """Whether a failed event ends the pilot, with an error."""
    okay_errors: frozenset[str]
    """Names of exceptions for which it does not."""
    quarantine: float
    """Seconds for which a pilot that ends with an error keeps its slot, so that nothing else fails there meanwhile."""
    chirps: bool
    """Whether HTCondor is told how the pilot is doing."""
    chirps_to_log: bool
    """Whether by the job's event log instead of its attributes."""
    chirp_interval: float
    """Seconds between two reports of counts."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that variables make.

    Raises `InputError` naming the variable that is missing or wrong, without its value, which may be a secret.
    """
    variables = _Variables(environment)
    idle = variables.get("TIMEOUT_QUEUE_INCOMING", _seconds, None)
    settings = Settings(
        task=_task(variables),
        incoming=_queues(variables, "QUEUE_INCOMING"),
        outgoing=_queues(variables, "QUEUE_OUTGOING"),
        slots=variables.get("MAX_CONCURRENT_TASKS", _count, 1),
        scratch=variables.get("DATA_DIR_PARENT_PATH_ON_HOST", str, ""),
        log_level=variables.get("CL_LOG", _log_level, "INFO"),
        first_message_patience=variables.get("TIMEOUT_QUEUE_WAIT_FOR_FIRST_MESSAGE", _seconds, idle),
        idle_patience=idle,
        stop_on_error=variables.get("STOP_LISTENING_ON_TASK_ERROR", _flag, False),
        okay_errors=frozenset(variables.get("OKAY_ERRORS", str.split, [])),
        quarantine=variables.get("QUARANTINE_TIME", _seconds_or_none_at_all, 0.0),
        chirps=variables.get("HTCHIRP", _flag, "_CONDOR_CHIRP_CONFIG" in environment),
        chirps_to_log=variables.get("HTCHIRP_DEST", _chirp_goal, "JOB_ATTR") == "JOB_EVENT_LOG",
        chirp_interval=variables.get("HTCHIRP_RATELIMIT_INTERVAL", _seconds, 60.0),
    )
    variables.tell_of_unknown()
    return settings


class _Variables:
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


def _task(variables: _Variables) -> TaskSpec:
    old_timeout = variables.get(_OLD_TIMEOUT, _seconds, None)
    if old_timeout is not None:
        logger.warning("setting_old name=%s%s use %sTASK_TIMEOUT", PREFIX, _OLD_TIMEOUT, PREFIX)
    container: dict[str, Any] = {
        "image": _image(variables.required("TASK_IMAGE")),
        "arguments": variables.get("TASK_ARGS", shlex.split, []),
        "mounts": variables.get("EXTERNAL_DIRECTORIES", _parts, []),
        "network": variables.get("TASK_NETWORK", _flag, True),
        "warm": variables.get("TASK_WARM", str, "no"),
        "tool": variables.get("CONTAINER_PLATFORM", str, "auto", prefix=f"_{PREFIX}"),
    }
    init = {
        "image": _image(variables.get("INIT_IMAGE", str, "")),
        "arguments": variables.get("INIT_ARGS", shlex.split, []),
        "environment": variables.get("INIT_ENV_JSON", _json_table, {}),
        "timeout": variables.get("INIT_TIMEOUT", _seconds, None),
    }
    if init["image"]:
        container["init"] = init
    document = {
        "name": "task",
        "input": "incoming",
        "output": ["outgoing"],
        "container": container,
        "environment": variables.get("TASK_ENV_JSON", _json_table, {}),
        "timeout": variables.get("TASK_TIMEOUT", _seconds, old_timeout),
        "infile_suffix": variables.get("INFILE_EXT", _suffix, ".in"),
        "outfile_suffix": variables.get("OUTFILE_EXT", _suffix, ".out"),
        "retry": {"max_failures": variables.get("MAX_FAILURES", _count, 3)},
    }
    try:
        return TaskSpec.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"the pilot's environment makes no task: {place}: {first['msg']}") from None


def _queues(variables: _Variables, name: str) -> tuple[Queue, ...]:
    """Queues that are named together, separated by `;` or `,`; type, address and token are one for all or one for each."""
    names = _parts(variables.required(name))
    kinds = _each(variables.get(f"{name}_BROKER_TYPE", _parts, ["rabbitmq"]), len(names), f"{name}_BROKER_TYPE")
    addresses = _each(_parts(variables.required(f"{name}_BROKER_ADDRESS")), len(names), f"{name}_BROKER_ADDRESS")
    tokens = _each(variables.get(f"{name}_AUTH_TOKEN", _parts, [""]), len(names), f"{name}_AUTH_TOKEN")
    return tuple(Queue(broker_url(*where), name) for name, *where in zip(names, kinds, addresses, tokens, strict=True))


def broker_url(kind: str, address: str, token: str) -> str:
    """The URL of a broker of EWMS: its type, an address `[USER@]HOST[:PORT][/VHOST]`, and a token that is the password.

    An address that is a URL already is taken as it is, with the token where it has a user and no password.
    Raises `InputError` for an unknown type.
    """
    scheme, separator, rest = address.rpartition("://")
    if not separator:
        if kind.lower() not in _SCHEMES:
            raise InputError(f"broker type {kind!r} is unknown; use one of {', '.join(_SCHEMES)}")
        scheme = _SCHEMES[kind.lower()]
    user, _, host = rest.rpartition("@")
    if not token or ":" in user:
        return f"{scheme}://{rest}"
    credentials = f"{user}:{quote(token, safe='')}" if user or scheme.startswith("amqp") else quote(token, safe="")
    return f"{scheme}://{credentials}@{host}"


def _each(values: list[str], count: int, name: str) -> list[str]:
    if len(values) not in {1, count}:
        raise InputError(
            f"environment variable {PREFIX}{name} holds {len(values)} values for {count} queues; give 1 or {count}"
        )
    return values * count if len(values) == 1 else values


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split("[;,]", text) if part.strip()]


def _image(text: str) -> str:
    """EWMS takes anything that exists for a folder, and `docker://` for a name."""
    return text.removeprefix("docker://")


def _suffix(text: str) -> str:
    return text if text.startswith(".") else f".{text}"


def _flag(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError("it is neither true nor false")


def _seconds(text: str) -> float:
    seconds = _seconds_or_none_at_all(text)
    if seconds == 0:
        raise ValueError("it must be more than 0 seconds")
    return seconds


def _seconds_or_none_at_all(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("it is no number of seconds") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError("it is no number of seconds")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("it must be a whole number from 1")
    return int(text)


def _log_level(text: str) -> str:
    if text.upper() not in logging.getLevelNamesMapping():
        raise ValueError("it is no log level; use DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _chirp_goal(text: str) -> str:
    if text not in {"JOB_ATTR", "JOB_EVENT_LOG"}:
        raise ValueError("use JOB_ATTR or JOB_EVENT_LOG")
    return text


def _json_table(text: str) -> dict[str, str]:
    try:
        table = json.loads(text)
    except ValueError:
        raise ValueError("it is not valid JSON") from None
    if not isinstance(table, dict) or not all(isinstance(value, str | int | float) for value in table.values()):
        raise ValueError("it must be a JSON object of texts and numbers")
    return {name: str(value) for name, value in table.items()}
