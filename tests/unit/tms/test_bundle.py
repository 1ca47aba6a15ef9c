"""A pilot as one file."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from ewms.core.errors import InputError
from ewms.tms.bundle import Bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    code = folder / "code"
    code.mkdir()
    (code / "my_consumer.py").write_text("x = 1\n")
    (code / ".secret").write_text("no")
    Bundle(["msgspec"], [code]).write(folder / "ewms-pilot")
    return folder / "ewms-pilot"


def run(bundle: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(bundle), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60, cwd="/"
    )


def test_it_runs_with_an_empty_environment(bundle: Path, tmp_path: Path) -> None:
    done = run(bundle, "nothing.json", _CONDOR_SCRATCH_DIR=str(tmp_path), PYTHONPATH="/nowhere")
    assert done.returncode == 2
    assert "the pilot's configuration nothing.json cannot be read" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".ewms-bundle"]


def test_it_holds_what_pilots_need_and_nothing_hidden(bundle: Path) -> None:
    names = zipfile.ZipFile(bundle).namelist()
    tops = {name.split("/")[1] for name in names if name.startswith("site-packages/")}
    assert {"ewms", "my_consumer.py", "msgspec", "nats", "pydantic", "pydantic_core"} <= tops
    assert not {"rich", "click", ".secret", "pytest"} & tops
    assert any("ewms/pilot/__pycache__/pilot." in name for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") and "/ewms-" in name for name in names)


def test_it_says_in_one_line_where_it_cannot_run(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(bundle.read_bytes().replace(b'("CPython", (3, ', b'("CPython", (4, '))
    other.chmod(0o755)
    done = run(other, PATH=os.environ["PATH"])
    assert done.returncode == 127
    assert done.stderr.startswith("ewms pilot: this slot lacks CPython 3.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("distributions", "code", "words"),
    [
        (["no-such-thing"], [], "'no-such-thing' is not installed here"),
        (["a b c"], [], "'a b c' is no name of a distribution"),
        ([], [Path("/no/such/folder")], "/no/such/folder is no folder"),
    ],
)
def test_wrong_contents_are_refused(distributions: list[str], code: list[Path], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        Bundle(distributions, code).write(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
