"""Whose code may run in the host's process."""

from __future__ import annotations

import importlib.metadata
import logging
from pathlib import Path

import pytest

from ewms.core.errors import InputError, SpecError
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.drive.loading import is_foreign, load, preload
from ewms.drive.public import PublicQueues
from ewms.drive.workspace import Workspace

TASK = {"name": "work", "python": "nowhere:work", "input": "numbers", "output": "results"}


def document(**fields: object) -> WorkflowDocument:
    spec = parse_spec({"name": "one", "tasks": [TASK], **fields}, "test")
    return WorkflowDocument(workflow_id="WF-1", timestamp=1.0, spec=spec)


class Entry:
    value = "installed:Application"


@pytest.mark.parametrize(
    ("application", "uploads", "foreign"),
    [
        (None, {"code/work.py": "0"}, False),
        ("installed:Application", {}, False),
        ("installed:Application", {"code/installed.py": "0"}, True),
        ("os:system", {}, True),
        ("other:Application", {}, True),
    ],
)
def test_only_what_was_installed_is_trusted(
    monkeypatch: pytest.MonkeyPatch, application: str | None, uploads: dict[str, str], foreign: bool
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry])
    fields = {} if application is None else {"application": application}
    assert is_foreign(document(**fields), Workspace(Path("space"), uploads)) is foreign


def test_consumers_need_not_be_on_this_machine(tmp_path: Path) -> None:
    public = document().model_copy(update={"public": {"numbers": "QU-1"}})
    ready = load(public, Workspace(tmp_path, {}), None)
    assert list(ready.application.start()) == []  # all its events come from outside


def test_a_workflow_with_neither_inputs_nor_public_queues_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no application to make events"):
        load(document(), Workspace(tmp_path, {}), None)


def test_public_queues_have_a_direction(tmp_path: Path) -> None:
    graph = load(document().model_copy(update={"public": {"numbers": "QU-1"}}), Workspace(tmp_path, {}), None).loaded.graph
    public = PublicQueues(graph, {"numbers": "QU-1", "results": "QU-2"})
    assert (public.inputs, public.outputs) == ({"numbers": "QU-1"}, {"results": "QU-2"})
    with pytest.raises(SpecError, match="public queue 'other' is neither an input of the workflow nor written by any task"):
        PublicQueues(graph, {"other": "QU-3"})


class Prepared:
    """An application that counts how often it is prepared."""

    name = "prepared"
    times = 0

    @classmethod
    def load(cls) -> type[Prepared]:
        return cls

    @classmethod
    def prepare(cls) -> None:
        cls.times += 1


class Absent(Prepared):
    """One whose module is gone."""

    name = "absent"

    @classmethod
    def load(cls) -> type[Prepared]:
        raise ModuleNotFoundError("No module named 'absent'")


def test_what_cannot_be_loaded_ahead_is_told_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = {entry.name: entry for entry in (Prepared, Absent)}
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group, name: [found[name]] if name in found else [])
    with caplog.at_level(logging.INFO, "ewms.drive"):
        preload(["absent", "unheard-of", "prepared"])
    assert caplog.messages == ["preload_failed", "preload_failed", "preloaded"]
    assert Prepared.times == 1
