"""Who issues credentials for the queues of a broker."""

from __future__ import annotations

from ewms.brokers.base import Capabilities
from ewms.brokers.credentials import CredentialIssuer, SharedCredentials
from ewms.brokers.urls import redact, without_login
from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration


def issuer_for(configuration: Configuration, capabilities: Capabilities) -> CredentialIssuer:
    """The issuer for the configured broker.

    Raises
    ------
    InputError
        There is none, and nobody said that all may share the service's own URL.
    """
    service, access = configuration.service, configuration.access
    url = "" if service.broker is None else service.broker.get_secret_value()
    scheme = url.partition("://")[0]
    if scheme in {"nats", "tls"} and access.nats.account is not None:
        from ewms.brokers.nats_credentials import NatsCredentials

        return NatsCredentials.configured(access.nats, service.pilot_broker or without_login(url))
    if scheme in {"amqp", "amqps"} and access.rabbitmq.management:
        from ewms.brokers.rabbitmq_credentials import RabbitmqCredentials

        return RabbitmqCredentials(url, access.rabbitmq.management, service.pilot_broker)
    if access.shared_credentials or not capabilities.multi_process:
        return SharedCredentials(url)
    raise InputError(
        f"no credentials can be issued for {redact(url)}; configure [access.nats] or [access.rabbitmq], or let everybody "
        "use the service's own by [access] shared_credentials = true"
    )
