"""What is submitted, and what of it is a user's."""

from __future__ import annotations

from typing import Any

import classad2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ewms.core.service.taskforce import Order, PilotSpec, TaskforceDocument, WorkerSpec
from ewms.tms.backend import BackendRefused
from ewms.tms.backends._htcondor_classad import conjunction, literal, quoted
from ewms.tms.backends._htcondor_holds import in_words
from ewms.tms.backends._htcondor_submission import describe, job_count, shown
from ewms.tms.backends.htcondor import HtcondorSettings


def order(workers: int = 4, priority: int = 0, environment: dict[str, str] | None = None, **worker: Any) -> Order:
    taskforce = TaskforceDocument(
        taskforce_uuid="TF-1",
        task_id="TD-1",
        workflow_id="WF-1",
        timestamp=0.0,
        priority=50,
        cluster="osg",
        n_workers=10,
        workers=workers,
        worker=WorkerSpec(priority=priority, **worker),
        pilot=PilotSpec(tag="v3", environment=environment or {}),
    )
    return Order(taskforce=taskforce, version=1)


def described(wanted: Order, **settings: Any) -> dict[str, str]:
    table = HtcondorSettings.model_validate(settings)
    return describe(wanted, table, owner="me", folder="/data/TF-1", log="/data/TF-1.tms.jel", grace=10.0)


def test_resources_limits_and_accounts_are_asked_for() -> None:
    wanted = order(
        cpus=2,
        memory=(1 << 30) + 1,
        disk=5 << 30,
        gpus=1,
        max_runtime=7200,
        accounting_group="group.a",
        concurrency_limits=("db", "licence:2"),
        return_output=True,
    )
    found = described(wanted, accounting_group="default", accounting_group_user="ada")
    assert found.items() >= {
        "request_cpus": "2",
        "request_memory": "1025MB",
        "request_disk": "5242880KB",
        "request_gpus": "1",
        "allowed_job_duration": "7200",
        "+OriginalTime": "7200",
        "accounting_group": "group.a",
        "accounting_group_user": "ada",
        "concurrency_limits": "db, licence:2",
        "output": "out/$(ClusterId).$(ProcId).out",
        "max_materialize": "4",
        "job_max_vacate_time": "25",
        "+WantIOProxy": "true",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("pilot", "expected"),
    [
        (
            {"kind": "image", "image": "/cvmfs/ewms/{tag}"},
            {"universe": "container", "container_image": "/cvmfs/ewms/v3", "arguments": "\"'pilot.json'\""},
        ),
        (
            {"kind": "image", "image": "docker://x", "command": ("/bin/pilot", "-v"), "transfer": True},
            {"executable": "/bin/pilot", "arguments": "\"'-v' 'pilot.json'\"", "transfer_container": "true"},
        ),
        ({"kind": "bundle", "path": "/opt/ewms-pilot"}, {"universe": "vanilla", "executable": "/opt/ewms-pilot"}),
        (
            {"kind": "python", "python": "/usr/bin/python3"},
            {"executable": "/usr/bin/python3", "transfer_executable": "false"},
        ),
    ],
)
def test_ways_of_the_pilot_to_the_slot(pilot: dict[str, Any], expected: dict[str, str]) -> None:
    assert described(order(), pilot=pilot).items() >= expected.items()


def test_requirements_are_the_sites_the_exclusions_and_the_users() -> None:
    found = described(order(requirements="Memory > 1 || true"), requirements="HasCVMFS")["requirements"]
    assert found.startswith("(HasCVMFS) && (stringListIMember(TARGET.GLIDEIN_Site, MY.EWMSExcludedSites) =!= true)")
    assert found.endswith(" && (Memory > 1 || true)")
    assert conjunction(["", " "]) == "true"


@pytest.mark.parametrize(
    ("workers", "priority", "expected"),
    [(1, 100, {"priority": "100"}), (9, 1, {"priority": "1"}), (5, 100, {"priority": "$INT(ewms_priority)"})],
)
def test_the_priority_fades(workers: int, priority: int, expected: dict[str, str]) -> None:
    found = described(order(workers=workers, priority=priority))
    assert found.items() >= expected.items()
    if "ewms_priority" in found:
        ramp = [
            classad2.ExprTree(found["ewms_priority"].replace("$(ProcId)", str(proc))).eval() for proc in range(workers + 2)
        ]
        assert ramp == pytest.approx([100, 87.5, 75, 62.5, 50, 50, 50])


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_quoted_text_is_that_text(text: str) -> None:
    assert classad2.ExprTree(quoted(text)).eval() == text


@given(st.text())
def test_no_macro_of_a_users_is_expanded(text: str) -> None:
    try:
        value = literal(text, "it")
    except BackendRefused:
        assert "$$" in text or any(character < " " for character in text)
    else:
        assert value.replace("$(DOLLAR)", "") == text.replace("$", "")


def test_values_of_variables_are_not_told() -> None:
    found = described(order(environment={"A": "s3cret"}), environment={"B": "x'y\"z"})
    assert found["environment"] == "\"A='s3cret' B='x''y\"\"z'\""
    assert "s3cret" not in str(shown(found))


def test_what_ewms_needs_cannot_be_changed() -> None:
    assert described(order(), submit={"+ProjectName": '"IceCube"'})["+ProjectName"] == '"IceCube"'
    for key, value in (("log", "x"), ("queue 5", "x"), ("+A", "x\nqueue 5")):
        with pytest.raises(ValidationError):
            HtcondorSettings(submit={key: value})


def test_a_cluster_can_replace_its_workers_many_times() -> None:
    assert job_count(order(workers=4)) == 1000
    assert job_count(order(workers=5000)) == 100_000


@pytest.mark.parametrize(
    ("code", "subcode", "reason", "words"),
    [
        (1, 0, "disk full (by user ada)", "put on hold by a person: disk full (by user ada)"),
        (3, 4, "the pilot ended with exit code 4", "the pilot ended with exit code 4"),
        (
            13,
            2,
            "Transfer input files failure at …",
            "files could not be read for their transfer: No such file or directory",
        ),
        (34, 0, "Error from slot1_1@host: …", "it used more memory or disk than it asked for"),
        (4711, 0, "brand\nnew", "hold code 4711: brand new"),
    ],
)
def test_holds_in_words(code: int, subcode: int, reason: str, words: str) -> None:
    assert in_words(code, subcode, reason) == words
