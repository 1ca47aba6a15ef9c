"""References to consumers, made from functions and checked without importing them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ewms.core.errors import ConsumerError
from ewms.local.consumers import check_importable, reference_to

SOURCE = """
from math import sqrt as root
raise SystemExit("importing me is a mistake")
def work(x): return x
class Worker: pass
alias = work
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    tmp_path.joinpath("work_here.py").write_text(SOURCE)
    tmp_path.joinpath("package_here").mkdir()
    tmp_path.joinpath("package_here", "__init__.py").write_text("")
    tmp_path.joinpath("package_here", "inner.py").write_text("def deep(x): return x\n")
    return str(tmp_path)


@pytest.mark.parametrize(
    "reference",
    [
        "work_here:work",
        "work_here:Worker",
        "work_here:alias",
        "work_here:root",
        "package_here.inner:deep",
        "math:sqrt",
        "json:dumps",
    ],
)
def test_what_is_there_is_found_without_importing(module: str, reference: str) -> None:
    check_importable(reference, [module], "here")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("work_here:wrok", "did you mean 'work'"),
        ("work_there:work", "no module 'work_there'"),
        ("package_here.outer:deep", "no module 'package_here.outer'"),
        ("/nowhere/x.py:work", "no file /nowhere/x.py"),
    ],
)
def test_what_is_not_there_is_named(module: str, reference: str, words: str) -> None:
    with pytest.raises(ConsumerError, match=words):
        check_importable(reference, [module], "here")


def test_a_syntax_error_is_placed(tmp_path: Path) -> None:
    tmp_path.joinpath("broken_here.py").write_text("def work(x):\n    return (\n")
    with pytest.raises(ConsumerError, match=r"broken_here\.py line 2"):
        check_importable("broken_here:work", [str(tmp_path)], "here")


class Holder:
    def method(self, x: Any) -> Any:
        return x


def test_functions_get_references() -> None:
    assert reference_to(check_importable) == "ewms.local.consumers:check_importable"
    assert reference_to("a:b") == "a:b"
    assert reference_to(Path).endswith(":Path")


def test_what_cannot_be_imported_is_refused() -> None:
    with pytest.raises(ConsumerError, match="lambda"):
        reference_to(lambda x: x)
    with pytest.raises(ConsumerError, match="top level"):
        reference_to(Holder().method)
    with pytest.raises(ConsumerError, match="top level"):
        reference_to(42)  # type: ignore[arg-type]
