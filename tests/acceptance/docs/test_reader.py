"""The reader of pages finds what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.docs.reader import Reader

SAVED = "Save this as `hello.py`:\n\n```python\nprint('hello')\n```\n"


def follow(folder: Path, text: str) -> int:
    page = folder / "page.md"
    page.write_text(text)
    return Reader(folder).follow(page)


def test_a_page_is_done_in_its_order(tmp_path: Path) -> None:
    page = SAVED + "\n```console\n$ python hello.py\nhello\n$ echo $PWD > place\n$ cat place\n/home/me\n```\n"
    assert follow(tmp_path, page) == 4


def test_what_is_not_saved_is_run(tmp_path: Path) -> None:
    assert follow(tmp_path, "```python\nopen('made', 'w').close()\n```\n") == 1
    assert tmp_path.joinpath("made").exists()


def test_the_exit_code_is_that_of_the_last_command(tmp_path: Path) -> None:
    assert follow(tmp_path, "<!-- exit: 3 -->\n```console\n$ true\n$ (exit 3)\n```\n") == 2
    assert follow(tmp_path, "<!-- exit: 137 -->\n```console\n$ kill -KILL $$\n```\n") == 1


def test_nothing_is_set_up(tmp_path: Path) -> None:
    assert follow(tmp_path, "```sh\nexit 1\n```\n```text\n[x]\n```\n```console\n$ pip install nothing\n```\n") == 0


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("\n```console\n$ false\n```\n", "line 2: false: exit code 1 instead of 0"),
        ("<!-- exit: 1 -->\n```console\n$ true\n```\n", "exit code 0 instead of 1"),
        ("```console\n$ echo 2\n1\n```\n", "and what came is\n2"),
        ("```python\nraise SystemExit(2)\n```\n", "exit code 2"),
        ("```toml\nname = 'x'\n```\n", "say where it is saved"),
        ("```bash\ntrue\n```\n", "'bash'"),
    ],
)
def test_a_page_that_is_wrong(tmp_path: Path, page: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        follow(tmp_path, page)
