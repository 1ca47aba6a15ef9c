"""Names of uploads never lead out of their folder."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.service.upload import check_sha256, check_upload_name

PARTS = st.sampled_from(["code", "inputs", "context", "..", ".", "", "a.py", "ä", "a b", "a\\b", "a\x00", "/", "~", "%2e"])


@given(st.lists(PARTS, max_size=5).map("/".join))
def test_what_is_accepted_stays_below_its_place(name: str) -> None:
    try:
        checked = check_upload_name(name)
    except ValueError:
        return
    path = PurePosixPath(checked)
    assert checked == name == str(path), "one spelling for one file"
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert path.parts[0] in {"code", "inputs", "context"}
    assert len(path.parts) > 1
    assert "\\" not in name
    assert name.isprintable()


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_digest_is_refused(digest: str) -> None:
    with pytest.raises(ValueError, match="no sha256"):
        check_sha256(digest)
