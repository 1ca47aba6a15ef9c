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
    """Image of the scanner; not used here."""
    scanner_server_memory_bytes: DataSize | None = None
    """Of the scanner's server; not used here."""
    scanner_server_memory: DataSize | None = None
    """The same, by its old name."""
    worker_memory_bytes: DataSize | None = None
    """What each worker asks for."""
    worker_memory: DataSize | None = None
    """The same, by its old name."""
    memory: str | int | None = None
    """Refused since it was renamed."""
    worker_disk_bytes: DataSize | None = None
    """What each worker asks for."""
    worker_disk: DataSize | None = None
    """The same, by its old name."""
    request_clusters: Clusters | None = None
    """Workers by cluster."""
    cluster: Clusters | None = None
    """The same, by its old name."""
    reco_algo: Text
    """Which reconstruction."""
    event_i3live_json: str | dict[str, Any] = Field(default={})
    """The event, as an object or as text."""
    i3_event_id: str = ""
    """An event that is known, in its place."""
    nsides: Nsides
    """Extension by nside."""
    real_or_simulated_event: Kind
    """Which of the two."""
    predictive_scanning_threshold: Threshold = 1.0
    """Part of a level that is finished before the next one is begun on trial."""
    max_pixel_reco_time: Annotated[Whole, Field(ge=1, le=10_000_000)]
    """Seconds that one pixel may take."""
    debug_mode: Annotated[list[Literal["client-logs"]], BeforeValidator(_one_or_many)] = []
    """Whether workers' output is brought back."""
    classifiers: Annotated[Classifiers, AfterValidator(_checked_classifiers)] = {}
    """The user's labels."""
    priority: Annotated[Whole, Field(ge=-(1 << 31), lt=1 << 31)] = 0
    """At 100 and above in the urgent lane."""
    scanner_server_env_from_user: Variables = {}
    """Variables of the scanner's server; not used here, and not kept."""
    scanner_server_env: Variables = {}
    """The same, by their old name."""
    manifest_projection: Projection = "*"
    """Which fields of the manifest are answered."""

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
    """In the language of `ewms.services.Query`."""
    include_deleted: bool = False
    """Whether scans that were deleted are found too."""
    manifest_projection: Projection = "*"
    """Which fields of the manifests are answered."""


class RescanRequest(Body):
    """`POST /scan/{scan_id}/actions/rescan`."""

    no_redirect: bool = False
    """The scan itself, whatever took its place."""
    abort_first: bool = False
    """Whether the old one is given up."""
    replace_scan: bool = False
    """Whether the new one takes its place."""
    manifest_projection: Projection = "*"
    """Which fields of the manifest are answered."""


class AddWorkersRequest(Body):
    """`POST /scan/{scan_id}/actions/add-workers`."""

    no_redirect: bool = False
    """The scan itself, whatever took its place."""
    n_workers: Annotated[Whole, Field(ge=1, le=1_000_000)]
    """How many more."""
    cluster_location: Text
    """Where, by name or alias."""


class DeleteRequest(Body):
    """`DELETE /scan/{scan_id}`."""

    no_redirect: bool = False
    """The scan itself, whatever took its place."""
    delete_completed_scan: bool = False
    """Also one that has its final result."""
    manifest_projection: Projection = "*"
    """Which fields of the manifest are answered."""


class ResultRequest(Body):
    """`PUT /scan/{scan_id}/result`."""

    skyscan_result: dict[str, Any]
    """As skyreader serialises it."""
    is_final: bool
    """Whether it is the last one."""


class WorkflowIdRequest(Body):
    """`POST /scan/{scan_id}/ewms/workflow-id`."""

    workflow_id: Text
    """Of the scan's workflow."""
    ewms_address: Text
    """Of the service that has it."""


class Stats(BaseModel):
    """`processing_stats` of a progress."""

    model_config = ConfigDict(frozen=True, extra="allow")

    start: dict[str, Any]
    """When what began."""
    runtime: dict[str, Any]
    """How long what took."""
    rate: dict[str, Any] = {}
    """How fast it is."""
    end: str = ""
    """When it ended."""
    finished: bool = False
    """Whether it has ended."""
    predictions: dict[str, Any] = {}
    """How long it still takes."""


class ProgressBody(BaseModel):
    """A progress that a scanner reports."""

    model_config = ConfigDict(frozen=True, extra="allow")

    summary: str
    """In one line."""
    epilogue: str
    """What is to be said at the end."""
    tallies: dict[str, Any]
    """Counts of pixels."""
    processing_stats: Stats
    """Times and rates."""
    predictive_scanning_threshold: Annotated[float, Field(ge=0, le=1)]
    """Of the scan."""
    last_updated: str
    """When it was reported."""
    start: int | None = None
    """Seconds since 1970."""
    end: int | None = None
    """Seconds since 1970; None while it goes on."""


class EventMetadata(BaseModel):
    """Which event it is."""

    model_config = ConfigDict(frozen=True, extra="allow")

    run_id: int
    """Number of the run."""
    event_id: int
    """Number of the event in its run."""
    event_type: str
    """Stream or alert kind."""
    mjd: float
    """Start of the read-out, modified Julian date."""
    is_real_event: bool
    """False for a simulated one."""


class ManifestChange(Body):
    """`PATCH /scan/{scan_id}/manifest`."""

    progress: ProgressBody | None = None
    """In place of what is derived."""
    event_metadata: EventMetadata | None = None
    """Which event it is; taken once."""
    scan_metadata: dict[str, Any] = {}
    """What else is known; taken once."""
