"""The command line of a pilot: what is wrong is one line, without secrets."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from ewms.pilot.__main__ import main

SECRET = "hunter2"
GOOD = {
    "workflow_id": "WF-1",
    "broker_url": f"nope://user:{SECRET}@localhost",
    "work_queue": "work",
    "report_queue": "reports",
    "heartbeat_topic": "heartbeats",
    "command_topic": "commands",
    "tasks": [{"name": "t", "python": "math:sqrt", "input": "in"}],
}


@pytest.mark.parametrize(
    ("document", "telling"),
    [
        (GOOD | {"slots": SECRET}, "slots: Input should be a valid integer"),
        (GOOD | {"unknown": SECRET}, "unknown: Extra inputs are not permitted"),
        (GOOD, "nope://localhost"),
        ([], "the document: Input should be an object"),
    ],
)
def test_wrong_configuration(tmp_path: Path, caplog: pytest.LogCaptureFixture, document: object, telling: str) -> None:
    path = tmp_path / "pilot.json"
    path.write_text(json.dumps(document))
    with caplog.at_level(logging.INFO):
        assert main([str(path)]) == 2
    (record,) = caplog.records
    assert telling in record.getMessage()
    assert SECRET not in record.getMessage()


def test_missing_file_and_arguments(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert main(["a", "b"]) == 2
    first, second = (record.getMessage() for record in caplog.records)
    assert "none.json cannot be read: No such file or directory" in first
    assert "usage: python -m ewms.pilot [CONFIG.json]" in second
