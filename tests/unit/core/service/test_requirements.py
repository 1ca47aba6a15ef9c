from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import InputError
from ewms.core.service import requirements
from ewms.core.service.requirements import binary_size, check_requirements


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512M", 512 << 20),
        ("8GB", 8 << 30),
        ("8 GiB", 8 << 30),
        ("1.5 g", 3 << 29),
        ("1048576", 1 << 20),
        (1 << 30, 1 << 30),
        ("2 TB", 2 << 40),
        ("4096 kB", 4 << 20),
        ("2097152 bytes", 2 << 20),
    ],
)
def test_sizes_are_binary_whatever_their_spelling(text: str | int, size: int) -> None:
    assert binary_size(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1G", "1 parsec", "1e9", "12", "1K", "9999999 PB", "٣ GB", "1G\n2"])
def test_what_is_no_size_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        binary_size(text)
    assert "\n" not in str(refusal.value)


@given(st.text() | st.integers())
def test_any_text_is_a_size_or_refused(text: str | int) -> None:
    refusal = ""
    try:
        assert binary_size(text) >= 1 << 20
    except InputError as error:
        refusal = str(error)
    assert len(refusal.splitlines()) <= 1


GOOD = [
    "",
    "  ",
    "bar && baz",
    'stringListMember(Site, "a) b")',
    "(Memory >= 4 * 1024) || {1, 2}[0] == 1",
    r'Name == "a\"b"',
]
BAD = ["(bar", "bar)", '"open', "[1)", "a " * 3000, "a\nb", "(" * 200 + ")" * 200]


@pytest.mark.parametrize("has_parser", [True, False])
@pytest.mark.parametrize("text", GOOD)
def test_expressions_pass(text: str, has_parser: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_parser:
        monkeypatch.setattr(requirements, "find_spec", lambda _: None)
    assert check_requirements(text) == text.strip()


@pytest.mark.parametrize("has_parser", [True, False])
@pytest.mark.parametrize("text", BAD)
def test_expressions_that_cannot_be_parsed_are_refused(text: str, has_parser: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_parser:
        monkeypatch.setattr(requirements, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="requirements"):
        check_requirements(text)


@pytest.mark.parametrize("text", ["a &&", "a b", "1; 2", "== 3"])
def test_htcondors_own_parser_has_the_last_word(text: str) -> None:
    pytest.importorskip("classad2", reason="HTCondor's bindings are not installed")
    with pytest.raises(InputError, match="HTCondor cannot parse it"):
        check_requirements(text)


@given(st.text(max_size=200))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    refusal = ""
    try:
        assert check_requirements(text) == text.strip()
    except InputError as error:
        refusal = str(error)
    assert len(refusal.splitlines()) <= 1
