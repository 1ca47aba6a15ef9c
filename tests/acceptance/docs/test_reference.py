"""The reference is what the code says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def generate(docs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(docs / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_the_reference_is_up_to_date() -> None:
    done = generate(DOCS, "--check")
    assert done.returncode == 0, done.stderr


def test_a_page_that_is_out_of_date_is_named(tmp_path: Path) -> None:
    shutil.copy(DOCS / "generate.py", tmp_path)
    assert generate(tmp_path).returncode == 0
    page = tmp_path / "reference" / "spec.md"
    page.write_text(page.read_text("utf-8").replace("max_failures", "most_failures"))
    done = generate(tmp_path, "--check")
    assert done.returncode == 1
    assert str(page) in done.stderr
