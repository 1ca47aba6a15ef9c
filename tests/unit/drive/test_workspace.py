"""Uploads as local files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.errors import InputError
from ewms.drive.workspace import Workspace
from ewms.wms.files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path / "files"))


def space(tmp_path: Path, files: Files, *names: str) -> Workspace:
    """A workspace of uploads that hold their own names."""
    return Workspace(tmp_path / "space", {name: files.put(name.encode()).sha256 for name in names})


def test_uploads_are_where_they_are_looked_for(tmp_path: Path, files: Files) -> None:
    workspace = space(
        tmp_path, files, "code/flow.py", "code/lib/part.py", "inputs/b/1.txt", "inputs/a.jsonl", "context/model"
    )
    workspace.fill(files)
    assert (workspace.code / "lib" / "part.py").read_text() == "code/lib/part.py"
    assert [path.name for path in workspace.inputs] == ["a.jsonl", "b"]
    assert all(path.exists() for path in workspace.inputs)
    assert workspace.has_code
    assert not (tmp_path / "space" / "context").exists()  # pilots get it, not the application


def test_numbered_inputs_keep_their_order(tmp_path: Path, files: Files) -> None:
    names = [
        "inputs/0000/z.jsonl",
        "inputs/0001/a.jsonl",
        "inputs/0002/z.jsonl",
        "inputs/0003/folder/1",
        "inputs/0003/folder/2",
    ]
    workspace = space(tmp_path, files, *names)
    workspace.fill(files)
    assert [path.relative_to(tmp_path / "space" / "inputs").as_posix() for path in workspace.inputs] == [
        "0000/z.jsonl",
        "0001/a.jsonl",
        "0002/z.jsonl",
        "0003/folder",
    ]


@pytest.mark.parametrize("names", [["inputs/0000/z", "inputs/a"], ["inputs/0000"], ["inputs/00001/z"]])
def test_other_numbers_are_names(tmp_path: Path, files: Files, names: list[str]) -> None:
    tops = sorted({name.split("/")[1] for name in names})
    assert [path.name for path in space(tmp_path, files, *names).inputs] == tops


@pytest.mark.parametrize("name", ["code/../../secret", "inputs/..", "code/"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, files: Files, name: str) -> None:
    with pytest.raises(InputError, match="has no place in the workflow's folder"):
        space(tmp_path, files, name).fill(files)


def test_what_was_there_before_is_gone(tmp_path: Path, files: Files) -> None:
    space(tmp_path, files, "code/old.py").fill(files)
    workspace = space(tmp_path, files, "code/new.py")
    workspace.fill(files)
    assert [path.name for path in workspace.code.iterdir()] == ["new.py"]
    workspace.clear()
    assert not (tmp_path / "space").exists()


def test_a_workflow_without_uploads_has_no_inputs(tmp_path: Path, files: Files) -> None:
    workspace = space(tmp_path, files)
    workspace.fill(files)
    assert workspace.inputs == []
    assert not workspace.has_code
