"""A follow-up policy: which alerts are scanned, how, and where the maps go. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from skymap_scanner.errors import ScanError
from skymap_scanner.recos.registry import check_reco
from skymap_scanner.scanning.policies import POLICIES
from skymap_scanner.scanning.progression import DEFAULT, Progression
from skymap_scanner.skydriver.auto.conditions import Condition, condition_of
from skymap_scanner.skydriver.auto.facts import Facts
from skymap_scanner.skydriver.auto.nearest import nearest

_MOST_CLASSIFIERS = 20
"""SkyDriver takes 25; some are ours."""
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


def _known_reco(name: str) -> str:
    try:
        return check_reco(name)
    except ScanError as error:
        raise ValueError(str(error)) from None


def _known_policy(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(f"'{name}' is unknown; {nearest(name, POLICIES)}")
    return name


def _progression(given: Any) -> Any:
    """`nside:extension` items; a table of them is as good."""
    return ",".join(f"{nside}:{extension}" for nside, extension in given.items()) if isinstance(given, dict) else given


def _checked_progression(text: str) -> str:
    try:
        return ",".join(f"{step.nside}:{step.extension}" for step in Progression.parse(text).steps)
    except ScanError as error:
        raise ValueError(str(error).removeprefix("nsides: ")) from None


def _absolute(text: str) -> str:
    if not Path(text).is_absolute():
        raise ValueError(f"{text!r:.200} is relative; write the whole path")
    return text


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is no URL") from None
    if "@" in parts.netloc:
        raise ValueError(
            "a URL with user and password is not written here, for it is shown; the store's library has its own way"
        )
    if not parts.scheme:
        raise ValueError("it is no URL; write for example s3://bucket/folder, or folder = for a folder of this machine")
    return url


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ScanPlan(_Table):
    """One scan of an alert."""

    reco: Annotated[str, AfterValidator(_known_reco)] = "mpe"
    """Reconstruction; see the entry points `skymap_scanner.recos`."""
    nsides: Annotated[str, BeforeValidator(_progression), AfterValidator(_checked_progression)] = DEFAULT
    """`nside:extension` items from coarse to fine."""
    policy: Annotated[str, AfterValidator(_known_policy)] = POLICIES[0]
    """`progression`, or `adaptive`: refine by probability until the 90 % area is stable."""
    pointed: Annotated[str, Field(max_length=200)] = ""
    """`RA,DEC` in degrees or the name of a published fit: the first level is scanned near there only."""
    predictive_threshold: Annotated[float, Field(ge=0.1, le=1.0)] = 1.0
    """Part of a level that is finished before the next one is begun on trial."""
    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    """From 0; at 100 and above in the urgent lane."""
    workers: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Most workers in all; left out, the scheduler decides."""
    clusters: dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[int, Field(ge=1, le=1_000_000)]] = {}
    """Workers on each cluster, by name; none means all clusters."""
    max_pixel_reco_time: Annotated[int, Field(ge=1, le=10_000_000)] = 3600
    """Seconds that one pixel may take."""
    classifiers: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=25)], Any], Field(max_length=_MOST_CLASSIFIERS)
    ] = {}
    """Labels of the scan, by which it is found: texts of up to 25 letters, numbers, true or false."""

    @model_validator(mode="after")
    def _simple_classifiers(self) -> Self:
        for name, value in self.classifiers.items():
            if name in {"rescan", "origin_scan_id"}:
                raise ValueError(f"classifier '{name}' is SkyDriver's own; choose another name")
            if not isinstance(value, bool | int | float | str) or (isinstance(value, str) and len(value) > 25):
                raise ValueError(f"classifier '{name}' is a text of up to 25 letters, a number, true or false")
        return self


Stage = Literal["partial", "final"]
"""`partial`: the map so far; `final`: the finished one."""


class Target(_Table):
    """Where maps go."""

    folder: Annotated[str, AfterValidator(_absolute)] = ""
    """A folder of this machine."""
    url: Annotated[str, AfterValidator(_without_password)] = ""
    """A folder of an fsspec store, such as `s3://bucket/alerts`."""
    webhook: Annotated[str, Field(pattern="^(https?://.*)?$", max_length=2000), AfterValidator(str.strip)] = ""
    """Called with the numbers and the notice, signed as the service signs."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = ("partial", "final")
    """What is sent."""
    files: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Which files go into a folder or a store: names, with `*` for any letters."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(map(bool, (self.folder, self.url, self.webhook))) != 1:
            raise ValueError("a target is one of folder, url or webhook; write exactly one")
        if "@" in urlsplit(self.webhook).netloc:
            raise ValueError(
                "a webhook's URL holds no user and password, for it is shown; the receiver checks the signature"
            )
        return self


class Rule(_Table):
    """What is done with certain alerts."""

    name: Annotated[str, Field(pattern=_NAME)]
    """Unique in its file."""
    when: dict[str, Condition] = {}
    """By fact; all must hold. None holds always."""
    scans: tuple[ScanPlan, ...] = (ScanPlan(),)
    """How the alert is scanned, each in a scan of its own; none means not at all."""
    publish: tuple[str, ...] = ()
    """Targets, by name, of the maps of all its scans."""

    @model_validator(mode="before")
    @classmethod
    def _conditions(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("when"), dict):
            return given
        found = {}
        for fact, wanted in given["when"].items():
            try:
                found[fact] = wanted if isinstance(wanted, Condition) else condition_of(fact, wanted)
            except ValueError as error:
                raise ValueError(f"when.{fact}: {error}") from None
        return {**given, "when": found}

    def takes(self, facts: Facts) -> bool:
        """Whether every condition holds."""
        return all(condition.holds(facts.values(fact)) for fact, condition in self.when.items())

    def misses(self, facts: Facts) -> tuple[str, ...]:
        """The facts whose conditions do not hold."""
        return tuple(fact for fact, condition in self.when.items() if not condition.holds(facts.values(fact)))


class Policy(_Table):
    """All rules, in order."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """The first that takes an alert decides."""
    targets: dict[Annotated[str, Field(pattern=_NAME)], Target] = {}
    """Where maps go, by name."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.name in seen:
                raise ValueError(f"rule '{rule.name}' is there twice; names are unique")
            seen.add(rule.name)
            for target in rule.publish:
                if target not in self.targets:
                    hint = nearest(target, self.targets)
                    raise ValueError(f"rule '{rule.name}', publish: there is no target '{target}'; {hint}")
        return self

    def rule_for(self, facts: Facts) -> Rule | None:
        """The rule that takes an alert; None where none does."""
        return next((rule for rule in self.rules if rule.takes(facts)), None)
