"""The settings of an EWMS pilot: `EWMS_PILOT_*` variables, by the names and with the meaning that EWMS gave them.

Where our defaults differ, the reason is a defect of the old ones: a pilot does not leave after an idle second, nor because
one event failed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from ewms.core.errors import InputError
from ewms.core.pilot_settings import (
    PREFIX,
    Variables,
    read_count,
    read_duration,
    read_flag,
    read_list,
    read_seconds,
    task_of,
)
from ewms.core.spec import TaskSpec

_SCHEMES = {"rabbitmq": "amqp", "nats": "nats", "pulsar": "pulsar"}


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
    variables = Variables(environment)
    idle = variables.get("TIMEOUT_QUEUE_INCOMING", read_seconds, None)
    settings = Settings(
        task=task_of(variables),
        incoming=_queues(variables, "QUEUE_INCOMING"),
        outgoing=_queues(variables, "QUEUE_OUTGOING"),
        slots=variables.get("MAX_CONCURRENT_TASKS", read_count, 1),
        scratch=variables.get("DATA_DIR_PARENT_PATH_ON_HOST", str, ""),
        log_level=variables.get("CL_LOG", _log_level, "INFO"),
        first_message_patience=variables.get("TIMEOUT_QUEUE_WAIT_FOR_FIRST_MESSAGE", read_seconds, idle),
        idle_patience=idle,
        stop_on_error=variables.get("STOP_LISTENING_ON_TASK_ERROR", read_flag, False),
        okay_errors=frozenset(variables.get("OKAY_ERRORS", str.split, [])),
        quarantine=variables.get("QUARANTINE_TIME", read_duration, 0.0),
        chirps=variables.get("HTCHIRP", read_flag, "_CONDOR_CHIRP_CONFIG" in environment),
        chirps_to_log=variables.get("HTCHIRP_DEST", _chirp_goal, "JOB_ATTR") == "JOB_EVENT_LOG",
        chirp_interval=variables.get("HTCHIRP_RATELIMIT_INTERVAL", read_seconds, 60.0),
    )
    variables.tell_of_unknown()
    return settings


def _queues(variables: Variables, name: str) -> tuple[Queue, ...]:
    """Queues that are named together, separated by `;` or `,`; type, address and token are one for all or one for each."""
    names = read_list(variables.required(name))
    kinds = _each(variables.get(f"{name}_BROKER_TYPE", read_list, ["rabbitmq"]), len(names), f"{name}_BROKER_TYPE")
    addresses = _each(read_list(variables.required(f"{name}_BROKER_ADDRESS")), len(names), f"{name}_BROKER_ADDRESS")
    tokens = _each(variables.get(f"{name}_AUTH_TOKEN", read_list, [""]), len(names), f"{name}_AUTH_TOKEN")
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


def _log_level(text: str) -> str:
    if text.upper() not in logging.getLevelNamesMapping():
        raise ValueError("it is no log level; use DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _chirp_goal(text: str) -> str:
    if text not in {"JOB_ATTR", "JOB_EVENT_LOG"}:
        raise ValueError("use JOB_ATTR or JOB_EVENT_LOG")
    return text
