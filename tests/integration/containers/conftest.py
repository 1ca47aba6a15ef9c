"""Pilots that run real containers, by every tool that is there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ewms.core.spec import TaskSpec
from tests.integration.pilot.conftest import open_rig
from tests.support import containers
from tests.support.containers import Engine

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig


def _skip(reason: str | None) -> None:
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for images, with the tools set up for where tests run."""
    folder = tmp_path_factory.mktemp("containers")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in containers.environment(folder).items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="session")
def podman(settings: Path) -> Engine:
    """Podman with its images."""
    _skip(containers.why_no_podman())
    return Engine("podman", *containers.podman_images())


@pytest.fixture(scope="session")
def apptainer(settings: Path) -> Engine:
    """Apptainer with sandbox folders."""
    _skip(containers.why_no_apptainer())
    return Engine("apptainer", *containers.folder_images())


@pytest.fixture(params=["podman", "apptainer"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every tool."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A pilot's surroundings."""
    async with open_rig(lease=60.0) as rig:
        yield rig


@pytest.fixture
def container_task() -> Callable[..., TaskSpec]:
    """Makes a task that runs Python code in a container; `container` holds further keys of its table."""

    def make(engine: Engine, code: str, *arguments: str, container: dict[str, Any] | None = None, **fields: Any) -> TaskSpec:
        table = {"image": engine.image, "tool": engine.tool, "arguments": ("/usr/bin/python3", "-c", code, *arguments)}
        document = {"name": "t", "input": "in", "output": ("out",), "container": table | (container or {})}
        return TaskSpec.model_validate(document | fields)

    return make
