"""The service's configuration, as `ewms.toml` gives it; read by `ewms.config_file`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ewms.core.errors import InputError
from ewms.core.service.access_configuration import AccessConfiguration
from ewms.core.service.cluster_configuration import ClusterConfiguration
from ewms.core.service.complaint import complaint
from ewms.core.service.quota import OwnerConfiguration, Quota
from ewms.core.service.secret import Reader, Secret, SecretUrl, reader_context
from ewms.core.spec import Size, check_name

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>\d{1,5})", re.ASCII)


class Address(NamedTuple):
    """Where to listen."""

    host: str
    """Name or number."""
    port: int
    """0 lets the kernel pick one."""


def parse_address(text: str) -> Address:
    """The parts of `host:port` or `[::1]:port`; `ValueError` for anything else."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text!r:.100} is no address; write host:port, as in 127.0.0.1:8080 or [::1]:8080")
    return Address(match["six"] or match["host"], int(match["port"]))


def _checked_address(text: str) -> str:
    parse_address(text)
    return text


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} is relative; write the whole path")
    return path


AddressText = Annotated[str, AfterValidator(_checked_address)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceConfiguration(_Table):
    """The service itself, and what driver hosts and TMSs need to know of it."""

    url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """By which clients and TMSs reach the service; left out, the address that it listens at."""
    listen: AddressText = "127.0.0.1:8080"
    """Where it listens."""
    data: AbsolutePath
    """Folder of everything that it keeps here; left out of the file, `ewms-data` beside it."""
    store: SecretUrl | None = None
    """URL of the store; left out, `store.sqlite` in the data folder."""
    broker: SecretUrl | None = None
    """URL of the broker, with rights to make queues and, where it issues credentials, users."""
    pilot_broker: str = ""
    """Address of the broker as pilots and users reach it, without credentials; left out, as the service does."""
    files: str = ""
    """Folder or fsspec URL for uploads and products; left out, `files` in the data folder."""
    blobs: str | None = None
    """Folder or fsspec URL for bodies above the broker's limit, which pilots can reach; empty for none."""
    lease: float = Field(default=60.0, ge=0.5)
    """Seconds after which the loss of a pilot or of a driver host is noticed."""
    preload: tuple[str, ...] = ()
    """Installed applications that driver hosts load when they start, so that their first workflow does not wait for that."""
    certificate: AbsolutePath | None = None
    """PEM file with the certificate chain; given, the service speaks TLS."""
    key: AbsolutePath | None = None
    """PEM file with its private key; for the service's user only."""
    max_upload: Size = 10 << 30
    """Most bytes of an uploaded file."""
    max_request: Size = 16 << 20
    """Most bytes of any other request's body."""

    @model_validator(mode="after")
    def _whole_pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together; give both, or neither for plain HTTP")
        return self

    @property
    def address(self) -> Address:
        """Where it listens."""
        return parse_address(self.listen)

    @property
    def public_url(self) -> str:
        """By which others reach it."""
        scheme = "http" if self.certificate is None else "https"
        return (self.url or f"{scheme}://{self.listen}").rstrip("/")

    @property
    def store_url(self) -> str:
        """URL or path of the store; a secret."""
        return str(self.data / "store.sqlite") if self.store is None else self.store.get_secret_value()

    @property
    def files_url(self) -> str:
        """Where files lie."""
        return self.files or str(self.data / "files")


class WebhookConfiguration(_Table):
    """How changes of state are told to others; see `webhooks` of a workflow."""

    secret: Secret | None = None
    """Signs what is sent; left out, the service makes one and keeps it in the data folder."""
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks to which webhooks may lead all the same."""
    attempts: int = Field(default=16, ge=1)
    """Deliveries of one message before it is given up: with the doubling pauses, about half a day."""


class Configuration(_Table):
    """The whole of `ewms.toml`."""

    service: ServiceConfiguration
    """The service itself."""
    access: AccessConfiguration = AccessConfiguration()
    """Who may do what."""
    clusters: dict[Annotated[str, AfterValidator(check_name)], ClusterConfiguration] = {}
    """Where pilots run, by name."""
    quotas: Quota = Quota()
    """What any owner may have."""
    owners: dict[str, OwnerConfiguration] = {}
    """What certain owners may have, by name."""
    webhooks: WebhookConfiguration = WebhookConfiguration()
    """How others are told of changes."""
    plugins: dict[str, dict[str, Any]] = {}
    """Settings of service plugins, by name: `[plugins.NAME]` belongs to the plugin, and is checked by it."""

    @property
    def blobs_url(self) -> str:
        """Where large bodies go: beside the data where all pilots run on this machine, else nowhere unless it was said."""
        if self.service.blobs is not None:
            return self.service.blobs
        is_here = all(cluster.backend == "local" for cluster in self.clusters.values())
        return str(self.service.data / "blobs") if is_here else ""

    def quota_of(self, owner: str) -> Quota:
        """What an owner may have."""
        special = self.owners.get(owner, OwnerConfiguration())
        return Quota(
            workflows=self.quotas.workflows if special.workflows is None else special.workflows,
            workers=self.quotas.workers if special.workers is None else special.workers,
            upload=self.quotas.upload if special.upload is None else special.upload,
        )


def parse_configuration(document: Mapping[str, Any], where: str, read: Reader) -> Configuration:
    """A checked configuration from plain data; `InputError` with the place, the key and what to do in one line.

    Parameters
    ----------
    where
        What the message calls the document.
    read
        Reads the secrets that it refers to.
    """
    try:
        return Configuration.model_validate(document, context=reader_context(read))
    except ValidationError as error:
        raise InputError(f"{where}: {complaint(error, Configuration)}") from None
