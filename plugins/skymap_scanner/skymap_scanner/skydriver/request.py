"""The bodies of SkyDriver's requests, as its OpenAPI document has them: closed, with their old names. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

import skymap_scanner
from skymap_scanner.skydriver.order import Classifiers, Nsides, Scalar, ScanOrder, Threshold
from skymap_scanner.skydriver.sizes import parse_data_size

RESERVED = ("rescan", "origin_scan_id")
"""Classifiers that tell where a scan comes from."""
MOST_CLASSIFIERS = 25
_LONGEST = 25
_MOST_VARIABLES = 25


def _whole(value: Any) -> Any:
    """No truth value and no text passes for a number."""
    if isinstance(value, bool | str):
        raise ValueError(f"{value!r:.40} is no whole number")
    return value


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _added_up(value: Any) -> Any:
    """Workers by cluster; of a list of pairs, those of a cluster that is named twice are added up."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        pairs = [tuple(pair) for pair in value]
    else:
        raise ValueError("write {cluster: workers} or [[cluster, workers], …]")
    found: dict[str, int] = {}
    for name, workers in pairs:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{name!r:.60} is no name of a cluster")
        if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 1_000_000:
            raise ValueError(f"{workers!r:.40} workers at {name:.60} cannot be; write a number from 1")
        found[name] = found.get(name, 0) + workers
    if not found:
        raise ValueError("name at least one cluster")
    return found


def _checked_classifiers(value: Classifiers) -> Classifiers:
    if len(value) > MOST_CLASSIFIERS:
        raise ValueError(f"there are {len(value)} classifiers; at most {MOST_CLASSIFIERS} are taken")
    for name, item in value.items():
        if not name or len(name) > _LONGEST or (isinstance(item, str) and len(item) > _LONGEST):
            raise ValueError(f"{name!r:.40}: names and texts have 1 to {_LONGEST} characters")
        if name in RESERVED:
            raise ValueError(f"{name!r} is reserved; it tells of a rescan")
    return value


def _checked_variables(value: dict[str, Scalar]) -> dict[str, Scalar]:
    if len(value) > _MOST_VARIABLES:
        raise ValueError(f"there are {len(value)} variables; at most {_MOST_VARIABLES} are taken")
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]
Whole = Annotated[int, BeforeValidator(_whole)]
DataSize = Annotated[int, BeforeValidator(parse_data_size), Field(ge=0, le=1 << 50)]
Clusters = Annotated[dict[str, int], BeforeValidator(_added_up)]
Projection = Literal["*"] | Annotated[list[Text], Field(max_length=100)]
Variables = Annotated[dict[str, Scalar], AfterValidator(_checked_variables)]
Kind = Literal["real", "real_event", "sim", "simulated", "simulated_event"]


class Body(BaseModel):
    """A closed body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScanRequest(Body):
    """`POST /scan`."""

    docker_tag: Text
    scanner_server_memory_bytes: DataSize | None = None
    scanner_server_memory: DataSize | None = None
    worker_memory_bytes: DataSize | None = None
    worker_memory: DataSize | None = None
    memory: str | int | None = None
    worker_disk_bytes: DataSize | None = None
    worker_disk: DataSize | None = None
    request_clusters: Clusters | None = None
    cluster: Clusters | None = None
    reco_algo: Text
    event_i3live_json: str | dict[str, Any] = Field(default={})
    i3_event_id: str = ""
    nsides: Nsides
    real_or_simulated_event: Kind
    predictive_scanning_threshold: Threshold = 1.0
    max_pixel_reco_time: Annotated[Whole, Field(ge=1, le=10_000_000)]
    debug_mode: Annotated[list[Literal["client-logs"]], BeforeValidator(_one_or_many)] = []
    classifiers: Annotated[Classifiers, AfterValidator(_checked_classifiers)] = {}
    priority: Annotated[Whole, Field(ge=-(1 << 31), lt=1 << 31)] = 0
    scanner_server_env_from_user: Variables = {}
    scanner_server_env: Variables = {}
    manifest_projection: Projection = "*"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.memory:
            raise ValueError("memory is not taken any more; use worker_memory_bytes")
        for name, alias in _ALIASES.items():
            if getattr(self, name) and getattr(self, alias):
                raise ValueError(f"{name} and {alias} are the same; give one of them")
        if not (self.request_clusters or self.cluster):
            raise ValueError("request_clusters is missing; name clusters with their workers")
        if bool(self.event_i3live_json) == bool(self.i3_event_id):
            raise ValueError("give exactly one of event_i3live_json and i3_event_id")
        return self

    def order(self) -> ScanOrder:
        """What is to be scanned, in our words."""
        return ScanOrder(
            reco_algo=self.reco_algo,
            nsides=self.nsides,
            is_real=self.real_or_simulated_event.startswith("real"),
            max_pixel_reco_time=self.max_pixel_reco_time,
            clusters=self.request_clusters or self.cluster or {},
            i3_event_id=self.i3_event_id,
            predictive_scanning_threshold=self.predictive_scanning_threshold,
            priority=self.priority,
            classifiers=self.classifiers,
            worker_memory=self.worker_memory_bytes or self.worker_memory,
            worker_disk=self.worker_disk_bytes or self.worker_disk,
            return_output=bool(self.debug_mode),
            docker_tag=self.docker_tag,
            scanner_server_memory=self.scanner_server_memory_bytes or self.scanner_server_memory,
            not_applicable=tuple(self._not_applicable()),
        )

    def _not_applicable(self) -> list[str]:
        """Values of variables may be secrets, and are neither used nor kept."""
        version = skymap_scanner.__version__
        found = [f"docker_tag {self.docker_tag:.100}: pixels are reconstructed by skymap_scanner {version} of this service"]
        if self.scanner_server_memory_bytes or self.scanner_server_memory:
            found.append("scanner_server_memory_bytes: there is no server for each scan; a driver host has many scans")
        names = sorted({*self.scanner_server_env_from_user, *self.scanner_server_env})
        if names:
            found.append(f"scanner_server_env_from_user: there is no server for each scan; unused: {', '.join(names):.500}")
        if self.priority < 0:
            found.append(f"priority {self.priority}: priorities begin at 0, so the scan has that")
        return found


_ALIASES = {
    "scanner_server_memory_bytes": "scanner_server_memory",
    "worker_memory_bytes": "worker_memory",
    "worker_disk_bytes": "worker_disk",
    "request_clusters": "cluster",
    "scanner_server_env_from_user": "scanner_server_env",
}
"""Keys with their old names."""


class FindRequest(Body):
    """`POST /scans/find`."""

    filter: dict[str, Any]
    include_deleted: bool = False
    manifest_projection: Projection = "*"


class RescanRequest(Body):
    """`POST /scan/{scan_id}/actions/rescan`."""

    no_redirect: bool = False
    abort_first: bool = False
    replace_scan: bool = False
    manifest_projection: Projection = "*"


class AddWorkersRequest(Body):
    """`POST /scan/{scan_id}/actions/add-workers`."""

    no_redirect: bool = False
    n_workers: Annotated[Whole, Field(ge=1, le=1_000_000)]
    cluster_location: Text


class DeleteRequest(Body):
    """`DELETE /scan/{scan_id}`."""

    no_redirect: bool = False
    delete_completed_scan: bool = False
    manifest_projection: Projection = "*"


class ResultRequest(Body):
    """`PUT /scan/{scan_id}/result`."""

    skyscan_result: dict[str, Any]
    is_final: bool


class WorkflowIdRequest(Body):
    """`POST /scan/{scan_id}/ewms/workflow-id`."""

    workflow_id: Text
    ewms_address: Text


class Stats(BaseModel):
    """`processing_stats` of a progress."""

    model_config = ConfigDict(frozen=True, extra="allow")

    start: dict[str, Any]
    runtime: dict[str, Any]
    rate: dict[str, Any] = {}
    end: str = ""
    finished: bool = False
    predictions: dict[str, Any] = {}


class ProgressBody(BaseModel):
    """A progress that a scanner reports."""

    model_config = ConfigDict(frozen=True, extra="allow")

    summary: str
    epilogue: str
    tallies: dict[str, Any]
    processing_stats: Stats
    predictive_scanning_threshold: Annotated[float, Field(ge=0, le=1)]
    last_updated: str
    start: int | None = None
    end: int | None = None


class EventMetadata(BaseModel):
    """Which event it is."""

    model_config = ConfigDict(frozen=True, extra="allow")

    run_id: int
    event_id: int
    event_type: str
    mjd: float
    is_real_event: bool


class ManifestChange(Body):
    """`PATCH /scan/{scan_id}/manifest`."""

    progress: ProgressBody | None = None
    event_metadata: EventMetadata | None = None
    scan_metadata: dict[str, Any] = {}
