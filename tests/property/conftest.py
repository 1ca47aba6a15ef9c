"""Profiles of Hypothesis: `ci` is the same on every run, `soak` (HYPOTHESIS_PROFILE=soak) searches for minutes."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


settings.register_profile(
    "dev", max_examples=40, stateful_step_count=60, deadline=None, suppress_health_check=_SLOW, print_blob=True
)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.register_profile("soak", settings.get_profile("dev"), max_examples=3000, stateful_step_count=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
