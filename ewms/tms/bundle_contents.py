"""What goes into a pilot's bundle: `ewms`, what it needs on a slot, and what consumers need, all as it is installed here."""

from __future__ import annotations

import importlib.util
import json
import platform
import re
import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from ewms.core.errors import InputError, UsageError

_NOT_ON_SLOTS = frozenset({"click", "rich"})
"""Needed by the command line alone."""
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_")
_OLD_NAMES = {"manylinux1_": (2, 5), "manylinux2010_": (2, 12), "manylinux2014_": (2, 17)}
_DROPPED = frozenset({"RECORD", "direct_url.json", "INSTALLER", "REQUESTED"})

Glibc = tuple[int, int]


def closure(names: Iterable[str]) -> list[Distribution]:
    """`ewms` and these distributions with everything that they depend on.

    Parameters
    ----------
    names
        As for pip: `numpy`, `ewms[rabbitmq]`; versions are those that are installed.

    Raises
    ------
    InputError
        One is not installed.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    wanted = [("ewms", "")]
    for name in names:
        try:
            requirement = Requirement(name)
        except InvalidRequirement:
            raise InputError(f"{name!r} is no name of a distribution; write for example numpy") from None
        wanted += [(requirement.name, extra) for extra in ("", *requirement.extras)]
    while wanted:
        name, extra = wanted.pop()
        key = (canonicalize_name(name), extra)
        if key in seen or (key[0] in _NOT_ON_SLOTS and not any(canonicalize_name(asked) == key[0] for asked in names)):
            continue
        seen.add(key)
        installed = found[key[0]] = _installed(name)
        for text in installed.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                wanted += [(requirement.name, inner) for inner in ("", *requirement.extras)]
    return [found[name] for name in sorted(found)]


def copy_distribution(installed: Distribution, target: Path) -> None:
    """Copy an installed distribution into a folder; `InputError` if its code lies elsewhere."""
    if _is_editable(installed):
        if installed.name != "ewms":
            raise InputError(
                f"'{installed.name}' is installed in place, so that nobody knows what belongs to it; "
                "install it as a wheel, or give its folder by --code"
            )
        copy_code(_own_package(), target / "ewms")
    for file in installed.files or ():
        source = Path(str(installed.locate_file(file)))
        if ".." in file.parts or file.suffix in {".pyc", ".pth"} or (_is_metadata(file.parts) and file.name in _DROPPED):
            continue
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / file)


def copy_code(source: Path, target: Path) -> None:
    """Copy a folder of code, without what is hidden or made from it; `InputError` if it is none."""
    if not source.is_dir():
        raise InputError(f"{source} is no folder; --code takes the one that holds the consumer's modules")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"), dirs_exist_ok=True)


def glibc_needed(distributions: Iterable[Distribution]) -> Glibc:
    """The oldest C library on which all of them run: their wheels say so, and what was built here needs ours."""
    return max((_glibc_of(installed) for installed in distributions), default=(0, 0))


def _glibc_of(installed: Distribution) -> Glibc:
    lines = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")]
    if any(tag.endswith("-any") for tag in tags):
        return 0, 0
    return min((version for tag in tags for version in _versions(tag)), default=_ours())


def _versions(tag: str) -> Iterator[Glibc]:
    if match := _MANYLINUX.search(tag):
        yield int(match[1]), int(match[2])
    yield from (version for name, version in _OLD_NAMES.items() if name in tag)


def _ours() -> Glibc:
    major, _, minor = platform.libc_ver()[1].partition(".")
    return (int(major), int(minor)) if minor.isdigit() else (0, 0)


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise InputError(
            f"distribution '{name}' is not installed here, so it cannot be put into a bundle; install it"
        ) from None


def _is_editable(installed: Distribution) -> bool:
    text = installed.read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))


def _is_metadata(parts: tuple[str, ...]) -> bool:
    return parts[0].endswith(".dist-info")


def _own_package() -> Path:
    spec = importlib.util.find_spec("ewms")
    if spec is None or spec.origin is None:
        raise UsageError("ewms does not know where it lies; install it again")
    return Path(spec.origin).parent
