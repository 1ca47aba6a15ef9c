"""What a scan is to be, whoever asked for it. Pure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from skymap_scanner.errors import ScanError
from skymap_scanner.scanning.progression import DEFAULT, Progression

Scalar = str | bool | int | float | None


def _text_of(given: Any) -> Any:
    """`nside:extension` items; a table of them, in any order, is as good."""
    if not isinstance(given, dict):
        return given
    for nside, extension in given.items():
        if not str(nside).isdecimal() or isinstance(extension, bool) or not isinstance(extension, int):
            raise ValueError(
                f"{{{nside!r:.30}: {extension!r:.30}}} is no nside and its extension; write numbers, as in 8: 0"
            )
    return ",".join(f"{nside}:{given[nside]}" for nside in sorted(given, key=int))


def _checked_progression(text: str) -> str:
    try:
        return ",".join(f"{step.nside}:{step.extension}" for step in Progression.parse(text).steps)
    except ScanError as error:
        raise ValueError(str(error).removeprefix("nsides: ")) from None


Nsides = Annotated[str, BeforeValidator(_text_of), AfterValidator(_checked_progression)]
"""`nside:extension` items from coarse to fine; a table of them is taken too."""
Threshold = Annotated[float, Field(ge=0.1, le=1.0)]
Classifiers = dict[str, Scalar]


class ScanOrder(BaseModel):
    """How one event is to be scanned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reco_algo: str
    """The reconstruction, as it was asked for; what is run under that name is the scan's `reco`."""
    nsides: Nsides = DEFAULT
    """`nside:extension` items from coarse to fine."""
    is_real: bool = True
    """False for a simulated event."""
    max_pixel_reco_time: int = Field(default=3600, ge=1, le=10_000_000)
    """Seconds that one pixel may take."""
    clusters: dict[str, Annotated[int, Field(ge=1, le=1_000_000_000)]] = {}
    """Workers at each cluster, by name or alias; none means all clusters, and as many workers as the scheduler decides."""
    workers: int | None = Field(default=None, ge=1)
    """Most workers in all; only where no clusters are named."""
    i3_event_id: str = ""
    """An event that is known already; empty where one comes with the order."""
    policy: str = "progression"
    """`progression`, or `adaptive`; see `Scan`."""
    pointed: str = ""
    """`RA,DEC` in degrees or the name of a published fit; see `Scan`."""
    predictive_scanning_threshold: Threshold = 1.0
    """Part of a level that is finished before the next one is begun on trial."""
    priority: int = 0
    """At 100 and above in the urgent lane; below 0 as 0."""
    classifiers: Classifiers = {}
    """The user's labels."""
    worker_memory: int | None = None
    """Bytes that each worker asks for; None for what a reconstruction needs."""
    worker_disk: int | None = None
    """Bytes of disk that each worker asks for; None for what a reconstruction needs."""
    return_output: bool = False
    """Whether workers' stdout and stderr are brought back."""
    docker_tag: str = ""
    """As it was asked for."""
    scanner_server_memory: int | None = None
    """As it was asked for."""
    not_applicable: tuple[str, ...] = ()
    """What was asked for and has no meaning here, each with the reason in one line."""

    @property
    def table(self) -> dict[str, int]:
        """The progression as SkyDriver writes it: nside to extension."""
        return {item.partition(":")[0]: int(item.partition(":")[2]) for item in self.nsides.split(",")}
