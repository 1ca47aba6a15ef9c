"""One service for the tests of clients, and commands against it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.dev_tree import DevTree, dev_tree

Command = Callable[..., subprocess.CompletedProcess[str]]
SECONDS = 90.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTree]:
    with dev_tree(tmp_path_factory.mktemp("dev") / "data") as tree:
        yield tree


@pytest.fixture
def ewms(service: DevTree, tmp_path: Path) -> Command:
    """Runs `ewms …` in a folder of its own, as somebody who has told it the service's address and token."""

    def run(
        *arguments: str, code: int | None = 0, cwd: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "ewms", *arguments],
            cwd=cwd,
            env={**os.environ, **service.environment, "XDG_CONFIG_HOME": str(tmp_path / "config"), **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert code is None or done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run
