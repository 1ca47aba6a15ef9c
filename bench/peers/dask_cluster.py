"""Dask distributed on this machine: `python -m bench.peers.dask_cluster TASKS`."""

from __future__ import annotations

import tempfile

import dask
import distributed
from distributed import Client, LocalCluster

from bench.peers.measurement import measure
from bench.tasks import same


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ewms-bench-dask-") as folder,
        dask.config.set({"temporary-directory": folder}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def submit_and_wait(numbers: range) -> list[int]:
            results: list[int] = client.gather(client.map(same, numbers, pure=False))
            return results

        measure(submit_and_wait, distributed.__version__)


if __name__ == "__main__":
    main()
