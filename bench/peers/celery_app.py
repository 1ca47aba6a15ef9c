"""The Celery application that worker and client share; where Redis is comes by the environment."""

from __future__ import annotations

import os

from celery import Celery

from bench.tasks import same

URL_VARIABLE = "EWMS_BENCH_REDIS"
_url = os.environ.get(URL_VARIABLE, "")

app = Celery("bench", broker=_url, backend=_url)
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)
same_task = app.task(same)
