"""The hunt for secrets finds them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.secret_hunt import SecretHunt

SECRET = "s3cret/of:the=queue"
HUNT = {"token": SECRET, "other": "not anywhere"}


def test_secrets_in_files_are_found_in_either_form(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "service.log").write_text(f"connect amqp://me:{SECRET}@host\n")
    (tmp_path / "store.sqlite").write_bytes(b"\0\1s3cret%2Fof%3Athe%3Dqueue\2")
    (tmp_path / "clean").write_text("nothing")
    found = SecretHunt(HUNT).in_files(tmp_path)
    assert found == [f"token in {tmp_path / 'logs' / 'service.log'}", f"token in {tmp_path / 'store.sqlite'}"]


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o644, 1), (0o640, 1)])
def test_where_secrets_are_kept_nobody_else_may_read(tmp_path: Path, mode: int, count: int) -> None:
    path = tmp_path / "secrets" / "tms.token"
    path.parent.mkdir()
    path.write_text(SECRET)
    path.chmod(mode)
    assert len(SecretHunt(HUNT).in_files(tmp_path, kept=["secrets/*"])) == count


@pytest.mark.parametrize("place", ["cmdline", "environ", ""])
def test_secrets_of_processes_are_found(place: str) -> None:
    hunt = SecretHunt(HUNT)
    script = "import sys; sys.stdin.read()"
    argv = [sys.executable, "-c", script, *([SECRET] if place == "cmdline" else [])]
    environment = {**os.environ, **({"TOKEN": SECRET} if place == "environ" else {})}
    with hunt.watching_processes(), subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 10.0
        while hunt.looks < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.stdin is not None
        process.stdin.close()
    assert [finding.split(" of ")[0] for finding in hunt.in_processes()] == ([f"token in the {place}"] if place else [])


def test_a_hunt_that_sees_nothing_is_none(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not a single file"):
        SecretHunt(HUNT).in_files(tmp_path)
    with pytest.raises(AssertionError, match="no process"):
        SecretHunt(HUNT).in_processes()
