from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.recos.base import Pixel
from skymap_scanner.recos.cascade import Cascade, classify


def test_the_shower_of_2017_is_one(real_alert: Callable[[str], Alert]) -> None:
    found = classify(real_alert("event_HESE_2017-11-28.json"))
    assert found.kind == "cascade"
    assert found.log_ratio == pytest.approx(-54.8, abs=1.0)  # as published with the alert
    vertex = found.vertex
    assert np.linalg.norm([vertex.x - 169.6, vertex.y + 21.5, vertex.z - 115.3]) < 3.0  # HESE_CascadeLlhVertexFit


@pytest.mark.parametrize("name", ["138632_31747601.json", "run00136662-evt000035405932-BRONZE.pkl"])
def test_tracks_are_tracks(real_alert: Callable[[str], Alert], name: str) -> None:
    found = classify(real_alert(name))
    assert found.kind == "track"
    assert found.log_ratio > 100.0


def test_a_shower_is_alike_in_all_directions(real_alert: Callable[[str], Alert]) -> None:
    reco = Cascade(real_alert("event_HESE_2017-11-28.json"))
    pixels = [Pixel(nside=8, index=k, zenith=0.1 * k, azimuth=0.2 * k, seeds=()) for k in range(3)]
    answers = reco.reconstruct(pixels)
    assert answers == [answers[0]] * 3
    assert answers[0].vertex == reco.fallback()
    assert not reco.gives_direction


def test_an_event_without_pulses_is_refused() -> None:
    header = EventHeader(run_id=118_000, event_id=7, mjd=58_000.25)
    with pytest.raises(NoSignal):
        classify(Alert(header=header, pulses=np.empty(0, PULSE)))
