"""The submit description of a taskforce: one cluster whose jobs appear as they are needed."""

from __future__ import annotations

from math import ceil

from ewms.core.service.taskforce import Order, WorkerSpec
from ewms.tms.backends._htcondor_classad import arguments, conjunction, environment, literal, quoted
from ewms.tms.backends._htcondor_policy import draining, policy
from ewms.tms.backends._htcondor_settings import BundlePilot, HtcondorSettings, ImagePilot, PythonPilot

CONFIG = "pilot.json"
"""Name of the pilot's configuration, here and in the slot."""
CARRIED = "carried"
"""Folder whose content is carried to every slot."""
OUTPUT = "out"
"""Folder for what pilots print."""

TASKFORCE, SERVICE, WORKERS, EXCLUDED = "EWMSTaskforceUUID", "EWMSService", "EWMSWorkers", "EWMSExcludedSites"
"""Attributes of our clusters: whose they are, how many workers they are to have, and where none may start."""
SITES = ("GLIDEIN_Site", "OSG_SITE_NAME")
"""Attributes of slots that name their site, the first that is there."""
_FADED = 0.5
_REPLACEMENTS = 100
_MAX_JOBS = 100_000


def job_count(order: Order) -> int:
    """Jobs that the cluster may have in its whole life: its workers, and enough to replace them again and again."""
    taskforce = order.taskforce
    return min(_MAX_JOBS, _REPLACEMENTS * max(taskforce.workers, taskforce.n_workers or 1))


def describe(order: Order, settings: HtcondorSettings, *, owner: str, folder: str, log: str, grace: float) -> dict[str, str]:
    """The submit description.

    Parameters
    ----------
    owner
        Marks the cluster as this TMS's.
    folder
        Of the taskforce.
    log
        The event log's path.
    grace
        Seconds that a pilot may take to end.

    Raises
    ------
    BackendRefused
        A value of the user's cannot be put into a submit description.
    """
    taskforce, worker = order.taskforce, order.taskforce.worker
    variables = settings.environment | taskforce.pilot.environment
    return (
        _pilot(settings, taskforce.pilot.tag)
        | {
            "batch_name": literal(f"ewms {taskforce.workflow_id} {taskforce.task_id}", "the task's name"),
            "initialdir": folder,
            "log": log,
            "log_xml": "true",
            "environment": environment(variables),
            "max_materialize": str(taskforce.workers),
            "notification": "never",
            "should_transfer_files": "YES",
            "when_to_transfer_output": "ON_EXIT_OR_EVICT",
            "transfer_input_files": f"{CONFIG}, {CARRIED}/",
            "transfer_output_files": "",
            "requirements": _requirements(settings, worker),
            "job_ad_information_attrs": TASKFORCE,
            "ulog_execute_attrs": ", ".join(SITES),
            "+WantIOProxy": "true",
            f"My.{TASKFORCE}": quoted(taskforce.taskforce_uuid),
            f"My.{SERVICE}": quoted(owner),
            f"My.{WORKERS}": str(taskforce.workers),
            f"My.{EXCLUDED}": quoted(",".join(order.excluded_sites)),
        }
        | _resources(worker)
        | _priority(worker.priority, taskforce.workers)
        | _accounting(settings, worker)
        | (_output() if worker.return_output else {})
        | policy(settings)
        | draining(grace)
        | settings.submit
    )


def shown(description: dict[str, str]) -> dict[str, str | int]:
    """What may be told of a description: values of variables are left out."""
    return {key: value for key, value in description.items() if key != "environment"}


def _pilot(settings: HtcondorSettings, tag: str) -> dict[str, str]:
    match settings.pilot:
        case ImagePilot(image=image, command=command, transfer=transfer):
            program = {"executable": command[0]} if command else {}
            return program | {
                "transfer_executable": "false",
                "universe": "container",
                "container_image": literal(image.replace("{tag}", tag), "the pilot's image"),
                "transfer_container": str(transfer).lower(),
                "arguments": arguments((*command[1:], CONFIG)),
            }
        case BundlePilot(path=path):
            return {"universe": "vanilla", "executable": path, "arguments": arguments((CONFIG,))}
        case PythonPilot(python=python):
            return {
                "universe": "vanilla",
                "executable": python,
                "transfer_executable": "false",
                "arguments": arguments(("-m", "ewms.pilot", CONFIG)),
            }


def _requirements(settings: HtcondorSettings, worker: WorkerSpec) -> str:
    elsewhere = (f"stringListIMember(TARGET.{site}, MY.{EXCLUDED}) =!= true" for site in SITES)
    return conjunction((settings.requirements, *elsewhere, literal(worker.requirements, "the requirements")))


def _resources(worker: WorkerSpec) -> dict[str, str]:
    wanted = {
        "request_cpus": str(worker.cpus),
        "request_memory": f"{ceil(worker.memory / (1 << 20))}MB",
        "request_disk": f"{ceil(worker.disk / (1 << 10))}KB",
    }
    if worker.gpus:
        wanted["request_gpus"] = str(worker.gpus)
    if worker.max_runtime is not None:
        # OSG's name for the limit; the pilot knows it as its wall time and ends before.
        wanted |= {"allowed_job_duration": str(worker.max_runtime), "+OriginalTime": str(worker.max_runtime)}
    return wanted


def _priority(first: int, workers: int) -> dict[str, str]:
    """Fades from the first worker's to half of it for the last, so that taskforces of equal priority interleave."""
    if workers <= 1 or first <= 1:
        return {"priority": str(first)}
    last = first * _FADED
    step = (first - last) / (workers - 1)
    return {"ewms_priority": f"max({{{last:g}, {first} - {step:.6f} * $(ProcId)}})", "priority": "$INT(ewms_priority)"}


def _accounting(settings: HtcondorSettings, worker: WorkerSpec) -> dict[str, str]:
    group = worker.accounting_group or settings.accounting_group
    wanted = {
        "accounting_group": literal(group, "the accounting group"),
        "accounting_group_user": settings.accounting_group_user,
        "concurrency_limits": literal(", ".join(worker.concurrency_limits), "the concurrency limits"),
    }
    return {key: value for key, value in wanted.items() if value}


def _output() -> dict[str, str]:
    return {name: f"{OUTPUT}/$(ClusterId).$(ProcId).{suffix}" for name, suffix in (("output", "out"), ("error", "err"))}
