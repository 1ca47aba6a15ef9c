"""What is uploaded with a workflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ewms.client import code as code_module
from ewms.client.code import Code
from ewms.client.package import pack
from ewms.core.errors import ConsumerError, InputError
from ewms.core.spec import WorkflowSpec, parse_spec

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(**files: str) -> Path:
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


def spec(python: str = "work:run", **other: Any) -> WorkflowSpec:
    return parse_spec({"name": "tried", "tasks": [{"name": "t", "python": python, "input": "q"}], **other}, "test")


def names(code: Code) -> set[str]:
    return set(code.files)


def test_a_module_brings_what_it_imports(write: Write) -> None:
    folder = write(
        work_py="import helper\nimport numpy, json\n", helper_py="def f():\n    import deep\n", deep_py="", other_py=""
    )
    code = Code([folder])
    code.add_workflow(spec())
    assert names(code) == {"work.py", "helper.py", "deep.py"}


def test_a_package_comes_whole(write: Write) -> None:
    folder = write(
        work_py="from pack.inner import thing\n",
        pack__init_py="",
        pack__inner_py="from . import sibling\nfrom .. import outer\n",
        pack__sibling_py="import far\n",
        pack__data="table",
        pack__sub__deep_py="",
        far_py="",
    )
    folder.joinpath("pack/init.py").rename(folder / "pack/__init__.py")
    folder.joinpath("pack/__pycache__").mkdir()
    folder.joinpath("pack/__pycache__/x.pyc").write_bytes(b"")
    code = Code([folder])
    code.add_workflow(spec())
    expected = {"work.py", "far.py"}
    expected |= {f"pack/{name}" for name in ("__init__.py", "inner.py", "sibling.py", "data", "sub/deep.py")}
    assert names(code) == expected


def test_a_namespace_package_brings_its_module(write: Write) -> None:
    folder = write(space__work_py="import space.other\n", space__other_py="", space__third_py="")
    code = Code([folder])
    code.add_workflow(spec("space.work:run"))
    assert names(code) == {"space/work.py", "space/other.py"}


def test_a_relative_import_stays_in_its_package(write: Write) -> None:
    folder = write(space__sub__work_py="from ..near import x\nfrom . import by\n", space__near_py="", space__sub__by_py="")
    code = Code([folder])
    code.add_workflow(spec("space.sub.work:run"))
    assert names(code) == {"space/sub/work.py", "space/near.py", "space/sub/by.py"}


def test_what_is_installed_is_left_there(write: Write) -> None:
    folder = write(work_py="import ewms, json.decoder\n", ewms__core_py="", json__decoder_py="")
    code = Code([folder])
    code.add_workflow(spec())
    assert names(code) == {"work.py"}


def test_a_file_is_called_by_its_relative_name(write: Write) -> None:
    folder = write(tools__run_py="import beside\n", beside_py="")
    code = Code([folder])
    told = code.add_workflow(spec(f"{folder}/tools/run.py:main"))
    assert told.tasks[0].python == "tools/run.py:main"
    assert names(code) == {"tools/run.py", "beside.py"}


def test_a_second_folder_is_looked_into(write: Write, tmp_path: Path) -> None:
    write(here__work_py="import there\n", scripts__there_py="")
    code = Code([tmp_path / "here", tmp_path / "scripts"])
    code.add_workflow(spec())
    assert names(code) == {"work.py", "there.py"}


def test_files_of_a_command_and_files_that_are_named(write: Write) -> None:
    folder = write(count_sh="", table="1", deep__more="2", unused="3")
    document = {"name": "tried", "tasks": [{"name": "t", "command": ["sh", "count_sh", "/etc/passwd", ""], "input": "q"}]}
    code = Code([folder])
    code.add_workflow(parse_spec(document, "test"))
    code.include(["table", "dee*"])
    assert names(code) == {"count_sh", "table", "deep/more"}
    with pytest.raises(InputError, match=r"nothing in .* is called 'lost'"):
        code.include(["lost"])


def test_the_application_too(write: Write) -> None:
    folder = write(app_py="import model\n", model_py="", work_py="")
    code = Code([folder])
    code.add_workflow(spec(application="app:App"))
    assert names(code) == {"app.py", "model.py", "work.py"}


def test_a_whole_folder_but_for_what_is_no_code(write: Write) -> None:
    folder = write(
        work_py="",
        broken_py="def",
        sample="text",
        data__big="1",
        runs__old__summary="",
        runs__old__ewms__x="",
        venv__pyvenv="",
        service__secrets__token="",
        skipped__a="",
        kept__b="",
    )
    folder.joinpath("runs/old/ewms").rename(folder / "runs/old/.ewms")
    folder.joinpath("venv/pyvenv").rename(folder / "venv/pyvenv.cfg")
    folder.joinpath("service/secrets/token").rename(folder / "service/secrets/operator.token")
    folder.joinpath(".hidden").write_text("")
    folder.joinpath(".ewmsignore").write_text("# not needed\nskipped/\n*.tmp\n")
    folder.joinpath("kept/x.tmp").write_text("")
    package = pack(spec(), [folder], [folder / "data"], whole_folder=True)
    assert set(package.files) == {"code/work.py", "code/broken.py", "code/sample", "code/kept/b", "inputs/data/big"}


def test_too_much_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_module, "MAX_FILES", 2)
    folder = write(work_py="", a="", b="")
    with pytest.raises(InputError, match=r"more than 2 files.*\.ewmsignore"):
        pack(spec(), [folder], whole_folder=True)


@pytest.mark.parametrize(
    ("python", "complaint"),
    [("lost.py:run", "there is no file lost.py"), ("/bin/sh.py:run", "there is no file"), ("bad:run", r"bad\.py line 1")],
)
def test_code_that_cannot_be_sent(write: Write, python: str, complaint: str) -> None:
    with pytest.raises(ConsumerError, match=complaint):
        Code([write(bad_py="def f(:\n")]).add_workflow(spec(python))


def test_code_elsewhere_cannot_be_sent(write: Write, tmp_path: Path) -> None:
    write(here__x="", there__work_py="")
    with pytest.raises(ConsumerError, match="submit from its folder"):
        Code([tmp_path / "here"]).add_workflow(spec(f"{tmp_path}/there/work.py:run"))


def test_inputs_keep_their_order_and_may_share_a_name(write: Write) -> None:
    folder = write(b__lines="1", a__lines="2", pages__p1="", pages__deep__p2="")
    files = pack(spec(), [], [folder / "b/lines", folder / "a/lines", folder / "pages"]).files
    expected = ["inputs/0000/lines", "inputs/0001/lines", "inputs/0002/pages/deep/p2", "inputs/0002/pages/p1"]
    assert list(files) == expected
    assert files["inputs/0000/lines"] == folder / "b/lines"
    assert list(pack(spec(), [], [folder / "pages"]).files) == ["inputs/pages/deep/p2", "inputs/pages/p1"]


def test_an_empty_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file"):
        pack(spec(), [], [tmp_path])
