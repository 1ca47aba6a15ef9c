"""What Prometheus is told of the service; transitions go by the names that they have in the log."""

from __future__ import annotations

import logging
import re

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_is_transition = re.compile(r"[a-z]+(?:_[a-z]+)+", re.ASCII).fullmatch


class Metrics:
    """One service's measurements, in a registry of their own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._served = Histogram(
            "ewms_request_served_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route", "code"),
            registry=registry,
            buckets=_SECONDS,
        )
        self.under_way = Gauge("ewms_requests_under_way", "Requests that are being answered.", registry=registry)
        self.transitions = Counter(
            "ewms_transitions", "What happened, by its name in the log.", ("name",), registry=registry
        )
        self.workflows = Gauge("ewms_workflows", "Workflows by state.", ("state",), registry=registry)
        self.taskforces = Gauge("ewms_taskforces", "Taskforces by phase.", ("phase",), registry=registry)
        self.workers = Gauge("ewms_cluster_workers", "Workers that a cluster's TMS has.", ("cluster",), registry=registry)
        self.ready = Gauge("ewms_cluster_ready", "Whether a cluster works: 1 or 0.", ("cluster",), registry=registry)
        self.drivers = Gauge("ewms_driver_hosts", "Driver hosts that live.", registry=registry)
        self.deliveries = Gauge("ewms_webhooks_waiting", "Calls of webhooks still to be made.", registry=registry)

    def request_served(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count a request by the pattern of its path, which is one of few."""
        self._served.labels(method if method in _METHODS else "OTHER", route, str(code)).observe(seconds)

    def text(self) -> bytes:
        """All of it, in the format that Prometheus reads."""
        return generate_latest(self._registry)


class CountTransitions(logging.Handler):
    """Counts what is logged under a fixed name."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.INFO)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record."""
        name = record.getMessage()
        if _is_transition(name) and name != "request_served":
            self._metrics.transitions.labels(name).inc()
