"""Parsl's HighThroughputExecutor on this machine: `python -m bench.peers.parsl_executor TASKS [tuned]`."""

from __future__ import annotations

import sys
import tempfile

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

from bench.peers.measurement import measure
from bench.tasks import same

_TUNED_CONFIG = {"initialize_logging": False, "strategy": "none"}
_TUNED_EXECUTOR = {"prefetch_capacity": 64, "encrypted": False}


def main() -> None:
    is_tuned = sys.argv[2:] == ["tuned"]
    executor = HighThroughputExecutor(
        label="htex",
        address="127.0.0.1",
        max_workers_per_node=2,
        provider=LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1),
        **(_TUNED_EXECUTOR if is_tuned else {}),
    )
    app = parsl.python_app(same)

    def submit_and_wait(numbers: range) -> list[int]:
        futures = [app(number) for number in numbers]
        return [future.result() for future in futures]

    with tempfile.TemporaryDirectory(prefix="ewms-bench-parsl-") as folder:
        config = Config(executors=[executor], run_dir=folder, **(_TUNED_CONFIG if is_tuned else {}))
        with parsl.load(config):
            measure(submit_and_wait, parsl.__version__)


if __name__ == "__main__":
    main()
