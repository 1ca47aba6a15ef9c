"""Finding consumers by module and by file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ewms.core.errors import ConsumerError
from ewms.pilot.worker.importing import find


@pytest.fixture(autouse=True)
def _tidy_modules() -> Iterator[None]:
    """Whatever a test imports is forgotten."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_file_is_the_module_of_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "consumer_of_mine.py", "import sibling_of_mine\nvalue = sibling_of_mine.value\nwho = __name__\n")
    write(tmp_path / "sibling_of_mine.py", "value = 3\n")
    assert find(f"{path}:value", []) == 3
    assert find(f"{path}:who", []) == "consumer_of_mine"
    assert find("consumer_of_mine:who", []) == "consumer_of_mine"


def test_file_is_loaded_once(tmp_path: Path) -> None:
    path = write(tmp_path / "consumer_of_mine.py", "marker = object()\n")
    assert find(f"{path}:marker", []) is find("consumer_of_mine.py:marker", [str(tmp_path)])


def test_same_name_in_two_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder / "consumer_of_mine.py", f"value = '{folder}'\n")
    assert [find(f"{tmp_path}/{folder}/consumer_of_mine.py:value", []) for folder in ("a", "b")] == ["a", "b"]


@pytest.mark.parametrize("name", ["json.py", "my-consumer.py"])
def test_names_that_are_no_free_module_names(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "who = __name__\n")
    assert find(f"{path}:who", []).startswith(name.removesuffix(".py") + "_")


def test_nested_attribute() -> None:
    assert find("pathlib:Path.exists", []) is Path.exists


def test_missing_package_of_a_module() -> None:
    with pytest.raises(ConsumerError, match=r"consumer module 'no_such_package\.module' is not found"):
        find("no_such_package.module:f", [])


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / "consumer_of_mine.py", "\nx ==\n")
    with pytest.raises(ConsumerError, match=r"raised SyntaxError: invalid syntax \(consumer_of_mine.py line 2\)"):
        find(f"{path}:f", [])


def test_exit_at_import(tmp_path: Path) -> None:
    path = write(tmp_path / "consumer_of_mine.py", "raise SystemExit(2)\n")
    with pytest.raises(ConsumerError, match=r"raised SystemExit: 2 \(consumer_of_mine.py line 1\)"):
        find(f"{path}:f", [])
