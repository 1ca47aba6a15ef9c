"""What a TMS takes from `ewms.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel

from ewms.core.addresses import is_loopback
from ewms.core.errors import InputError
from ewms.core.service.cluster_configuration import ClusterConfiguration
from ewms.core.service.configuration import Configuration
from ewms.tms.backend import Backend
from ewms.tms.backends import backend_class, backend_settings

_MAX_WORKERS = "max_workers"
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104
"""Where a service listens that has no other URL; who calls it there calls this machine."""


class ClusterSetup(NamedTuple):
    """What it takes to run one cluster."""

    name: str
    """As the service knows it."""
    backend: type[Backend]
    """Of which kind it is."""
    settings: BaseModel
    """Of its backend."""
    folder: Path
    """Where the TMS keeps what it must not forget."""
    service_url: str
    """By which the service is reached."""

    @property
    def owner(self) -> str:
        """The mark of its batches at the backend."""
        return f"{self.service_url}/{self.name}"


def setups_of(configuration: Configuration, names: Sequence[str] = ()) -> list[ClusterSetup]:
    """The clusters of a configuration, or those with these names.

    Raises `InputError` for an unknown name, a backend that is not installed, a wrong key of one, or a service whose URL
    would show the token to the network.
    """
    parts = urlsplit(configuration.service.public_url)
    if parts.scheme == "http" and not (is_loopback(parts.hostname or "") or parts.hostname in _ANY):
        raise InputError(f"service.url {parts.geturl()}: http would show the token to the network; use https")
    unknown = set(names) - configuration.clusters.keys()
    if unknown or not configuration.clusters:
        known = ", ".join(sorted(configuration.clusters)) or "none; add a table [clusters.NAME]"
        what = f"there is no cluster {sorted(unknown)[0]!r}" if unknown else "there is no cluster to run"
        raise InputError(f"{what}; the configuration has {known}")
    return [_setup(configuration, name, configuration.clusters[name]) for name in names or configuration.clusters]


def _setup(configuration: Configuration, name: str, cluster: ClusterConfiguration) -> ClusterSetup:
    where = f"clusters.{name}"
    kind = backend_class(cluster.backend, where)
    options = dict(cluster.options)
    if _MAX_WORKERS in kind.Settings.model_fields and _MAX_WORKERS in cluster.model_fields_set:
        options[_MAX_WORKERS] = cluster.max_workers
    return ClusterSetup(
        name=name,
        backend=kind,
        settings=backend_settings(kind, options, where),
        folder=configuration.service.data / "tms" / name,
        service_url=configuration.service.public_url,
    )
