"""The check that every application should pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms.core import codecs
from ewms.core.application import Application
from ewms.core.errors import SpecError
from ewms.local.api import Runnable, loaded_from
from ewms.testing.simulation import Faults, simulate

_DISTURBANCES = (
    Faults(),
    Faults(duplicate=0.3),
    Faults(vanish=0.2, failure=0.1),
    Faults(restart=0.1),
    Faults(restart=0.1, vanish=0.1, failure=0.1, duplicate=0.1),
)


def check_order_independence(
    workflow: Runnable,
    *,
    inputs: Sequence[str | Path] = (),
    events: Sequence[Any] | None = None,
    dead: Sequence[str] = (),
    seeds: int = 3,
    speculative: bool = False,
) -> Any:
    """Run a workflow under shuffles, duplicates, lost pilots and restarts of the driver; the product, always the same.

    Parameters
    ----------
    workflow
        As for `ewms.run`; its application is built anew for every run and every restart.
    inputs, events
        As for `ewms.run`.
    dead
        Ids of events that fail on every attempt, in all runs.
    seeds
        How many orders to try per kind of disturbance.
    speculative
        The application sends events early that may turn out not to be needed: compare its product alone.

    Raises
    ------
    AssertionError
        If two runs differ in their product, outputs or dead letters; it names the disturbance and the seed.
    """
    if isinstance(workflow, Application):
        raise SpecError("an application is built anew for every run: give its class, not an instance")
    loaded, make = loaded_from(workflow, inputs, events)
    expected: dict[str, Any] = {}
    product: Any = None
    for disturbance in (Faults(shuffle=False), *_DISTURBANCES):
        faults = msgspec.structs.replace(disturbance, dead=frozenset(dead))
        for seed in range(seeds if faults.shuffle else 1):
            result = simulate(loaded, make, faults=faults, seed=seed)
            found = {
                "product": codecs.encode(result.product, "msgpack"),
                "outputs": codecs.encode(result.outputs, "msgpack"),
                "dead letters": [(letter.task, letter.id) for letter in result.dead_letters],
            }
            if not expected:
                expected, product = found, result.product
            if speculative:
                found = {"product": found["product"]}
            for name, value in found.items():
                if value != expected[name]:
                    raise AssertionError(f"the {name} differ from an undisturbed run's with {faults} and seed {seed}")
    return product
