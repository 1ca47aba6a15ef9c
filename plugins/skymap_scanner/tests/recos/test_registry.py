from __future__ import annotations

import pytest

from skymap_scanner.errors import ScanError
from skymap_scanner.recos.base import Reco
from skymap_scanner.recos.registry import check_reco, reco_class, reco_names


def test_all_that_is_named_can_be_loaded() -> None:
    assert {"mpe", "spe", "cascade", "dummy", "crash_dummy"} <= set(reco_names())
    for name in reco_names():
        assert issubclass(reco_class(name), Reco)
        assert reco_class(name).name == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mp", "did you mean 'mpe'?"),
        ("splinempee", "installed are cascade, "),
        ("crash-dummy", "did you mean 'crash_dummy'?"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, words: str) -> None:
    with pytest.raises(ScanError, match=f"reconstruction '{name}' is unknown") as raised:
        check_reco(name)
    assert words in str(raised.value)
