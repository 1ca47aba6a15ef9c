"""Which of our reconstructions is run for a name that SkyDriver's clients use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ewms.services import InputError
from skymap_scanner.skydriver.documents import RecoUsed

DEFAULT: Mapping[str, str] = {"splinempe": "mpe", "crash-dummy": "crash_dummy"}
"""`splinempe` of IceCube and our `mpe` fit a track to the times of first photons by the same likelihood, each with its own
description of the ice; the scan's `reco` tells which one ran."""


class Recos:
    """Names of reconstructions.

    Parameters
    ----------
    mapped
        Ours by the names of others, `[plugins.skydriver] recos`; `""` takes a name out of the default.

    Raises
    ------
    InputError
        It is no table of names.
    """

    def __init__(self, mapped: Any) -> None:
        if not isinstance(mapped, Mapping) or not all(isinstance(name, str) for name in mapped.values()):
            raise InputError('[plugins.skydriver] recos: write a table of names, as in { splinempe = "mpe" }')
        self._mapped = {**DEFAULT, **mapped}

    def used(self, requested: str) -> RecoUsed:
        """What is run under a name; `InputError` with the available ones if that is nothing."""
        from skymap_scanner.recos.registry import reco_names

        names = reco_names()
        ours = requested if requested in names else self._mapped.get(requested, "")
        if ours not in names:
            known = ", ".join(sorted({*names, *(name for name, goal in self._mapped.items() if goal in names)}))
            raise InputError(
                f"reco_algo {requested!r:.80} is not available here; available are {known} "
                "(an operator maps further names by [plugins.skydriver] recos)"
            )
        return RecoUsed(requested=requested, used=ours)
