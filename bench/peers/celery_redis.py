"""Celery with Redis as broker and result store: `python -m bench.peers.celery_redis TASKS`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from bench.peers import celery_app
from bench.peers.measurement import measure
from bench.peers.redis_server import redis_server

_WORKER = ["-m", "celery", "-A", "bench.peers.celery_app", "worker", "--pool", "prefork", "--concurrency", "2"]
_QUIET = ["--loglevel", "ERROR", "--without-gossip", "--without-mingle"]


@contextmanager
def worker() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *_WORKER, *_QUIET], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def submit_and_wait(numbers: range) -> list[int]:
    from celery import group

    task = celery_app.same_task
    results: list[int] = group(task.s(number) for number in numbers).apply_async().join_native()
    return results


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ewms-bench-redis-") as folder, redis_server(folder) as url:
        os.environ[celery_app.URL_VARIABLE] = url
        celery_app.app.conf.update(broker_url=url, result_backend=url)
        with worker():
            measure(submit_and_wait, version("celery"))


if __name__ == "__main__":
    main()
