"""From returned values to encoded outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms import Output, blobs
from ewms.core.errors import PayloadError
from ewms.core.wire import WireOutput
from ewms.pilot.outputs import Packer


def packer(room: int = 1000, url: str = "", threshold: int = 500) -> Packer:
    return Packer("json", ["a", "b"], room, url, threshold)


def test_none_one_many() -> None:
    assert packer().pack(None).outputs == []
    assert packer().pack([1]).outputs == [WireOutput("json", b"[1]")]
    assert packer().pack(iter([1])).outputs == [WireOutput("json", b"1")]
    assert [packer().pack(value).many for value in (None, [1], iter([1]))] == [False, False, True]


def test_named_queue() -> None:
    assert packer().pack(Output(1, "b")).outputs == [WireOutput("json", b"1", "b")]
    with pytest.raises(PayloadError, match="queue 'c' is no output of this task; outputs are: a, b"):
        packer().pack(Output(1, "c"))


def test_too_much_without_a_store() -> None:
    with pytest.raises(PayloadError, match="more than the broker's limit of 1000"):
        packer().pack("x" * 1000)


def test_large_output_by_reference(tmp_path: Path) -> None:
    (output,) = packer(url=str(tmp_path)).pack("x" * 501).outputs
    assert output.codec == "@json"
    assert blobs.load(output.codec, output.data) == "x" * 501


def test_outputs_that_do_not_fit_together_shrink(tmp_path: Path) -> None:
    pack = packer(room=4000, url=str(tmp_path), threshold=3000).pack
    assert [output.codec for output in pack(iter(["x" * 1500] * 2)).outputs] == ["json"] * 2
    assert [output.codec for output in pack(iter(["x" * 1500] * 3)).outputs] == ["@json"] * 3


def test_too_many_outputs(tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match="100 outputs of one event are too many for one message"):
        packer(url=str(tmp_path)).pack(iter(range(100)))
