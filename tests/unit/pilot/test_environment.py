"""`EWMS_PILOT_*` variables: what they mean, and one line for each that is wrong."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import InputError
from ewms.core.wire import Failure, Kind
from ewms.pilot.environment import broker_url, read_settings
from ewms.pilot.standalone import is_okay

SECRET = "t0ken/with:odd@signs"
NEEDED = {
    "EWMS_PILOT_TASK_IMAGE": "icecube/skymap_scanner:latest",
    "EWMS_PILOT_QUEUE_INCOMING": "a1",
    "EWMS_PILOT_QUEUE_INCOMING_BROKER_ADDRESS": "me@broker.example:5671/v",
    "EWMS_PILOT_QUEUE_INCOMING_AUTH_TOKEN": SECRET,
    "EWMS_PILOT_QUEUE_OUTGOING": "b1",
    "EWMS_PILOT_QUEUE_OUTGOING_BROKER_TYPE": "nats",
    "EWMS_PILOT_QUEUE_OUTGOING_BROKER_ADDRESS": "broker.example:4222",
    "EWMS_PILOT_QUEUE_OUTGOING_AUTH_TOKEN": SECRET,
}


def test_defaults_are_ours() -> None:
    settings = read_settings(NEEDED)
    assert settings.incoming[0].name == "a1"
    assert settings.incoming[0].broker_url == "amqp://me:t0ken%2Fwith%3Aodd%40signs@broker.example:5671/v"
    assert settings.outgoing[0].broker_url == "nats://t0ken%2Fwith%3Aodd%40signs@broker.example:4222"
    assert (settings.slots, settings.stop_on_error, settings.quarantine) == (1, False, 0.0)
    assert settings.first_message_patience is settings.idle_patience is None
    assert settings.task.container is not None
    assert settings.task.container.network
    assert not settings.chirps


def test_every_variable_of_ewms_is_known(caplog: pytest.LogCaptureFixture) -> None:
    given = {
        "TASK_ARGS": "run 'two words' {{INFILE}}",
        "TASK_ENV_JSON": json.dumps({"A": "x", "N": 3}),
        "INIT_IMAGE": "docker://icecube/init:1",
        "INIT_ARGS": "fetch {{DATA_HUB}}",
        "INIT_ENV_JSON": "{}",
        "DATA_DIR_PARENT_PATH_ON_HOST": "/scratch",
        "INFILE_EXT": "json",
        "OUTFILE_EXT": ".pkl",
        "PREFETCH": "4",
        "TIMEOUT_QUEUE_WAIT_FOR_FIRST_MESSAGE": "60",
        "TIMEOUT_QUEUE_INCOMING": "5",
        "EXTERNAL_DIRECTORIES": "/cvmfs,/data/sim",
        "CL_LOG": "debug",
        "CL_LOG_THIRD_PARTY": "warning",
        "HTCHIRP": "true",
        "HTCHIRP_DEST": "JOB_EVENT_LOG",
        "HTCHIRP_RATELIMIT_INTERVAL": "30",
        "INIT_TIMEOUT": "100",
        "TASK_TIMEOUT": "200",
        "STOP_LISTENING_ON_TASK_ERROR": "yes",
        "OKAY_ERRORS": "TimeoutError ValueError",
        "MAX_CONCURRENT_TASKS": "3",
        "KEEP_ALL_TASK_FILES": "false",
        "DUMP_TASK_OUTPUT": "false",
        "QUARANTINE_TIME": "0",
        "CONTAINER_DEBUG": "false",
    }
    named = {f"EWMS_PILOT_{name}": value for name, value in given.items()}
    settings = read_settings(NEEDED | named | {"_EWMS_PILOT_CONTAINER_PLATFORM": "apptainer"})
    assert not caplog.records
    task, container = settings.task, settings.task.container
    assert container is not None
    assert container.init is not None
    assert (container.tool, container.arguments) == ("apptainer", ("run", "two words", "{{INFILE}}"))
    assert (container.mounts, container.init.image, container.init.timeout) == (
        ("/cvmfs", "/data/sim"),
        "icecube/init:1",
        100,
    )
    assert (task.infile_suffix, task.outfile_suffix, task.timeout) == (".json", ".pkl", 200)
    assert task.environment == {"A": "x", "N": "3"}
    assert (settings.first_message_patience, settings.idle_patience, settings.slots) == (60, 5, 3)
    assert settings.okay_errors == {"TimeoutError", "ValueError"}
    assert settings.chirps
    assert settings.chirps_to_log
    assert (settings.chirp_interval, settings.log_level) == (30, "DEBUG")


def test_several_queues() -> None:
    several = {
        "EWMS_PILOT_QUEUE_INCOMING": "a1;a2",
        "EWMS_PILOT_QUEUE_OUTGOING": "b1,b2",
        "EWMS_PILOT_QUEUE_OUTGOING_AUTH_TOKEN": "x;y",
    }
    settings = read_settings(NEEDED | several)
    assert [queue.name for queue in settings.incoming] == ["a1", "a2"]
    assert len({queue.broker_url for queue in settings.incoming}) == 1
    assert [queue.broker_url for queue in settings.outgoing] == [
        "nats://x@broker.example:4222",
        "nats://y@broker.example:4222",
    ]


@pytest.mark.parametrize(
    ("changes", "telling"),
    [
        ({"TASK_IMAGE": ""}, "EWMS_PILOT_TASK_IMAGE is not set"),
        ({"QUEUE_INCOMING": " "}, "EWMS_PILOT_QUEUE_INCOMING is not set"),
        ({"QUEUE_OUTGOING_BROKER_ADDRESS": ""}, "EWMS_PILOT_QUEUE_OUTGOING_BROKER_ADDRESS is not set"),
        ({"QUEUE_INCOMING": "a;b;c", "QUEUE_INCOMING_AUTH_TOKEN": "x;y"}, "holds 2 values for 3 queues; give 1 or 3"),
        ({"QUEUE_INCOMING_BROKER_TYPE": "kafka"}, "broker type 'kafka' is unknown; use one of rabbitmq, nats, pulsar"),
        ({"MAX_CONCURRENT_TASKS": "0"}, "EWMS_PILOT_MAX_CONCURRENT_TASKS is wrong: it must be a whole number from 1"),
        ({"TASK_TIMEOUT": "soon"}, "EWMS_PILOT_TASK_TIMEOUT is wrong: it is no number of seconds"),
        ({"TASK_TIMEOUT": "nan"}, "EWMS_PILOT_TASK_TIMEOUT is wrong: it is no number of seconds"),
        ({"TASK_ENV_JSON": "[1]"}, "EWMS_PILOT_TASK_ENV_JSON is wrong: it must be a JSON object"),
        ({"TASK_ENV_JSON": '{"A": [1]}'}, "EWMS_PILOT_TASK_ENV_JSON is wrong: it must be a JSON object"),
        ({"TASK_ENV_JSON": SECRET}, "EWMS_PILOT_TASK_ENV_JSON is wrong: it is not valid JSON"),
        ({"TASK_ARGS": "it's"}, "EWMS_PILOT_TASK_ARGS is wrong: No closing quotation"),
        ({"STOP_LISTENING_ON_TASK_ERROR": "maybe"}, "is neither true nor false"),
        ({"EXTERNAL_DIRECTORIES": "/proc"}, "container.mounts: Value error, mount of /proc is forbidden"),
        ({"HTCHIRP_DEST": "mail"}, "use JOB_ATTR or JOB_EVENT_LOG"),
    ],
)
def test_wrong_settings(changes: dict[str, str], telling: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(NEEDED | {f"EWMS_PILOT_{name}": value for name, value in changes.items()})
    assert telling in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_ewms_4_5_a_wrong_concurrency_is_refused_and_not_corrected_elsewhere() -> None:
    with pytest.raises(InputError, match="MAX_CONCURRENT_TASKS"):
        read_settings(NEEDED | {"EWMS_PILOT_MAX_CONCURRENT_TASKS": "-2"})


def test_misspelt_and_old_names_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        settings = read_settings(NEEDED | {"EWMS_PILOT_TASK_TIMEOOT": SECRET, "EWMS_PILOT_SUBPROC_TIMEOUT": "9"})
    assert settings.task.timeout == 9
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "name=EWMS_PILOT_TASK_TIMEOOT did you mean EWMS_PILOT_TASK_TIMEOUT?" in said
    assert "use EWMS_PILOT_TASK_TIMEOUT" in said
    assert SECRET not in said


@given(st.text(min_size=1, max_size=30))
def test_any_token_stays_within_the_credentials(token: str) -> None:
    url = broker_url("rabbitmq", "me@host:1/v", token)
    assert url.startswith("amqp://me:")
    assert url.endswith("@host:1/v")
    assert url.count("@") == 1


@pytest.mark.parametrize(
    ("kind", "reason", "okay"),
    [
        ("timeout", "timed out after 2 s", {"TimeoutError"}),
        ("exit", "exit code 1: ValueError: no luck", {"ValueError"}),
        ("exit", "exit code 1: icecube.NoPixel: 3", {"NoPixel"}),
        ("exit", "exit code 1: KeyboardInterrupt", {"KeyboardInterrupt"}),
    ],
)
def test_ewms_4_5_okay_errors_match_what_happened(kind: str, reason: str, okay: set[str]) -> None:
    failure = Failure(id="e", attempt=1, kind=Kind.FAILED, reason=reason, detail={"type": kind})
    assert is_okay(failure, frozenset(okay))
    assert not is_okay(failure, frozenset({"OtherError"}))
