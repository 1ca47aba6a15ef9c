"""What may be said of a container, and one line for what may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.container import OURS, check_mountable, is_path, parse_mount
from ewms.core.errors import SpecError
from ewms.core.spec import parse_spec


def spec_with(**changes: Any) -> dict[str, Any]:
    task = {"name": "t", "input": "in", "container": {"image": "image"} | changes}
    return {"name": "w", "tasks": [task]}


def test_defaults() -> None:
    (task,) = parse_spec(spec_with(), "w.toml").tasks
    assert task.container is not None
    assert (task.container.tool, task.container.warm, task.container.network) == ("auto", "no", False)


@pytest.mark.parametrize(
    ("changes", "telling"),
    [
        ({"image": ""}, "container.image"),
        ({"imag": "x"}, "unknown key 'container.imag'; did you mean 'image'?"),
        ({"warm": "hot"}, "container.warm"),
        ({"tool": "lxc"}, "container.tool"),
        ({"mounts": ["data"]}, "data is not an absolute path"),
        ({"mounts": ["/data", "/other:/data"]}, "two mounts go to /data"),
        ({"mounts": ["/data:/ewms/x"]}, "/ewms is the pilot's own"),
        ({"mounts": ["/a:/b:rw"]}, "not of the form FOLDER or FOLDER:TARGET"),
        ({"mounts": ["/proc/1"]}, "mount of /proc/1 is forbidden"),
        ({"mounts": ["/data/../sys"]}, "mount of /sys is forbidden"),
        ({"mounts": ["/data:/dev/shm"]}, "mount of /dev/shm is forbidden"),
        ({"warm": "lines", "arguments": ["{{INFILE}}"]}, 'warm = "lines" knows no files'),
        ({"init": {"environment": {"A": "x\ny"}}}, "holds a line break"),
        ({"init": {"timeout": 0}}, "container.init.timeout"),
    ],
)
def test_wrong_containers(changes: dict[str, Any], telling: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec_with(**changes), "w.toml")
    assert telling in str(caught.value)
    assert str(caught.value).startswith("w.toml: task 't': ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "telling"), [("A B", "x", "letters, digits and _"), ("A", "x\ny", "a line break")]
)
def test_environment_that_cannot_be_passed_on(name: str, value: str, telling: str) -> None:
    document = spec_with()
    document["tasks"][0]["environment"] = {name: value}
    with pytest.raises(SpecError, match=telling):
        parse_spec(document, "w.toml")


def test_one_consumer() -> None:
    document = spec_with()
    document["tasks"][0]["command"] = ["true"]
    with pytest.raises(SpecError, match="exactly one of python =, command = and container ="):
        parse_spec(document, "w.toml")


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("./a", True),
        ("/a/b", True),
        ("../a", True),
        ("a.sif", True),
        ("a.tar", True),
        ("a/b:1", False),
        ("docker://a", False),
    ],
)
def test_paths_and_names(image: str, expected: bool) -> None:
    assert is_path(image) is expected


@given(st.text(alphabet="abrunpocsydev./:", max_size=30))
def test_no_mount_escapes_the_policy(text: str) -> None:
    try:
        mount = parse_mount(text)
    except ValueError:
        return
    for path in (mount.source, mount.target):
        assert path.startswith("/")
        assert "/../" not in f"{path}/"
        check_mountable(path)
    assert not f"{mount.target}/".startswith(f"{OURS}/")
    assert not mount.writable
