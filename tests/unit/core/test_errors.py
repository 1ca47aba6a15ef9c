from __future__ import annotations

from collections.abc import Iterator

import pytest

from ewms.core import errors
from ewms.core.errors import EwmsError, UsageError


def tree(kind: type[EwmsError] = EwmsError) -> Iterator[type[EwmsError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


KINDS = list(tree())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_docstring_is_the_default_message(kind: type[EwmsError]) -> None:
    message = str(kind())
    assert message == kind.__doc__
    assert "\n" not in message
    assert message.endswith(".")
    assert str(kind("what, where, what to do")) == "what, where, what to do"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_caller_s_mistakes_exit_with_2_all_others_with_1(kind: type[EwmsError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, UsageError) else 1)


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(EwmsError("a value does not fit: 2 errors\n  x is  wrong\n  y too")) == (
        "a value does not fit: 2 errors x is  wrong y too"
    )


def test_the_picture_of_the_tree_is_right() -> None:
    for kind in KINDS:
        assert f"{kind.__name__} " in (errors.__doc__ or "") or f"{kind.__name__}\n" in (errors.__doc__ or "")
