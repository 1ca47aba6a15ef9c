"""The `[access]` table: who may do what at the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ewms.core.addresses import is_loopback
from ewms.core.service.secret import Secret, SecretUrl

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Ways to sign a token with a key that the service does not hold; others would let whoever knows a public key sign."""


class RolesConfiguration(BaseModel):
    """Which claims of a token give a role: each entry is `claim=value`, and one that holds is enough.

    A claim within others is named by its path, as in `resource_access.ewms.roles`; where it is a list, one of its items is
    enough. A value may end in `*`. A token that fits several roles has the first of operator, tms, user and pilot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: tuple[str, ...] = ()
    """Of whom runs the service."""
    tms: tuple[str, ...] = ()
    """Of task management services."""
    user: tuple[str, ...] = ()
    """Of everybody who may have workflows."""
    pilot: tuple[str, ...] = ()
    """Of pilots."""

    @model_validator(mode="after")
    def _conditions(self) -> Self:
        for text in (*self.operator, *self.tms, *self.user, *self.pilot):
            claim, separator, value = text.partition("=")
            if not (claim and separator and value):
                raise ValueError(f"{text!r:.100} is no condition; write claim=value, as in groups=/observatory/operators")
        return self

    def items(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Roles with their conditions, in the order in which they are given."""
        yield from (("operator", self.operator), ("tms", self.tms), ("user", self.user), ("pilot", self.pilot))


class NatsAccess(BaseModel):
    """The account in which pilots and users are made, each for its own queues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Secret | None = None
    """Seed of the account."""
    operator: Secret | None = None
    """Seed of the operator, or of one of its signing keys: signs what the account revokes."""
    system: SecretUrl | None = None
    """Broker URL of a user of the system account: tells the servers."""


class RabbitmqAccess(BaseModel):
    """Where pilots and users are made, each for its own queues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    management: str = Field(default="", pattern=r"^(https?://[^@\s]+)?$")
    """URL of the management API; its user is that of the service's broker URL, and needs the tag `administrator`."""


class AccessConfiguration(BaseModel):
    """Whose tokens are taken, and what they open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = ""
    """URL of the OpenID provider, exactly as its tokens name it; empty where the service alone makes tokens."""
    audience: str = ""
    """What a token of the provider must be made for."""
    client_id: str = ""
    """The public client by which the command line logs in at the provider."""
    scope: str = "openid offline_access"
    """What it asks the provider for."""
    name: str = "sub"
    """The claim that names the caller; must be one that nobody can choose for themselves."""
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
    """How tokens may be signed."""
    leeway: float = Field(default=30.0, ge=0, le=300)
    """Seconds by which the provider's clock may differ."""
    roles: RolesConfiguration = RolesConfiguration()
    """Which claims give which role."""
    anonymous: bool = False
    """Everybody on this machine is let in as an operator, without a token; refused for any other address."""
    behind_proxy: bool = False
    """A proxy before the service speaks TLS with the world."""
    shared_credentials: bool = False
    """Pilots and users get the service's own broker URL, where the broker can issue no others."""
    nats: NatsAccess = NatsAccess()
    """How users are made at NATS."""
    rabbitmq: RabbitmqAccess = RabbitmqAccess()
    """How users are made at RabbitMQ."""

    @model_validator(mode="after")
    def _provider(self) -> Self:
        if not self.issuer:
            return self
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("issuer must be an https URL; http is for a provider on this machine alone")
        if not self.audience:
            raise ValueError("issuer needs an audience, or tokens that were made for others would be taken")
        if not any(conditions for _, conditions in self.roles.items()):
            raise ValueError("issuer needs [access.roles], or nobody has a role; see docs/access.md")
        return self
