"""What Prometheus is told of the service; names are those of the transitions in the log."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """One service's measurements, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._served = Histogram(
            "ewms_request_served_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route", "code"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.webhooks = Counter(
            "ewms_webhooks_sent", "Deliveries of webhooks by result.", ("result",), registry=self.registry
        )

    def request_served(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count a request by the pattern of its path, which is one of few."""
        known = method if method in _METHODS else "OTHER"
        self._served.labels(known, route, str(code)).observe(seconds)

    def text(self) -> bytes:
        """All of it, in the format that Prometheus reads."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
