"""What pilots of a service's workflow are told."""

from __future__ import annotations

import msgspec
import pytest

from ewms.brokers.memory import MemoryBroker
from ewms.core.errors import SpecError
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.wms.driver import Queues
from ewms.wms.pilots import blob_threshold, blobs_of, pilot_config

CAPABILITIES = MemoryBroker().capabilities
URL = "nats://user:password@host:4222"


def document(**task: object) -> WorkflowDocument:
    tasks = [{"name": "work", "python": "work:work", "input": "numbers", **task}]
    return WorkflowDocument(workflow_id="WF-1", timestamp=1.0, spec=parse_spec({"name": "one", "tasks": tasks}, "test"))


def test_pilots_meet_their_driver() -> None:
    config = pilot_config(document(), broker_url=URL, capabilities=CAPABILITIES, lease=60)
    queues = Queues.of("WF-1")
    assert (config.work_queue, config.report_queue) == (queues.work, queues.reports)
    assert (config.heartbeat_topic, config.command_topic) == (queues.heartbeats, queues.commands)
    assert (config.broker_url, config.lease, config.workflow_id) == (URL, 60, "WF-1")
    assert [task.name for task in config.tasks] == ["work"]


def test_large_bodies_go_where_the_driver_looks_for_them() -> None:
    config = pilot_config(document(), broker_url=URL, capabilities=CAPABILITIES, lease=60, blobs="s3://bucket/blobs/")
    assert config.blob_url == blobs_of("s3://bucket/blobs", "WF-1") == "s3://bucket/blobs/WF-1"
    assert config.blob_threshold == blob_threshold(CAPABILITIES.max_message_bytes) == 512 << 10


def test_without_a_place_nothing_goes_by_reference() -> None:
    config = pilot_config(document(), broker_url=URL, capabilities=CAPABILITIES, lease=60)
    assert (config.blob_url, config.blob_threshold) == ("", 0)


def test_where_a_message_can_be_held_for_a_while_only_tasks_end_before() -> None:
    hasty = msgspec.structs.replace(CAPABILITIES, max_lease_seconds=1800)
    config = pilot_config(document(), broker_url=URL, capabilities=hasty, lease=60)
    assert config.tasks[0].timeout == 0.9 * 1800
    with pytest.raises(
        SpecError, match="task work has a timeout of 3600 s, but the broker lets a message be held for 1800 s"
    ):
        pilot_config(document(timeout=3600), broker_url=URL, capabilities=hasty, lease=60)
