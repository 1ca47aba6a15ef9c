"""The real alerts: everything in them is read, as IceCube's own software reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skymap_scanner.reading import load_alert, pickled
from skymap_scanner.reading.packet import Packet

ALERTS = {
    "138632_31747601.json": (138632, 31747601, "neutrino", 60280.71416774572, 948),
    "event_HESE_2017-11-28.json": (130322, 1414689, "HESE", 58086.451842402865, 3292),
    "hese_event_00.json": (127907, 16605651, "HESE", 57517.62789262638, 635),
    "hese_event_01.json": (127907, 20178442, "HESE", 57517.64354153215, 410),
    "run00136662-evt000035405932-BRONZE.pkl": (136662, 35405932, "neutrino", 59723.32051140454, 763),
}
"""Run, event, type, time and number of pulses."""
FITS = {
    "138632_31747601.json": {"l2_online_BestFit", "l2_online_SplineMPE", "spefit2"},
    "hese_event_01.json": {"HESE_SPEFitSingle", "HESE_SPEFit2", "HESE_MuonImprovedLineFit", "HESE_CascadeLlhVertexFit"},
    "run00136662-evt000035405932-BRONZE.pkl": {"OnlineL2_BestFit", "OnlineL2_SplineMPE", "spefit2"},
}


def _message(path: Path) -> Any:
    data = path.read_bytes()
    return pickled.plain_data(data) if path.suffix == ".pkl" else json.loads(data)


def _packet(path: Path) -> Packet:
    data = _message(path)["value"]["data"]
    return Packet.of(data["frames"] if isinstance(data, dict) else data)


@pytest.mark.parametrize("name", ALERTS)
def test_header_and_pulses(name: str, events: Path) -> None:
    alert = load_alert(events / name)
    run_id, event_id, event_type, mjd, pulses = ALERTS[name]
    assert (alert.header.run_id, alert.header.event_id, alert.header.event_type) == (run_id, event_id, event_type)
    assert alert.header.mjd == mjd
    assert alert.header.is_real
    assert len(alert.pulses) == pulses
    order = np.lexsort((alert.pulses["time"], alert.pulses["om"], alert.pulses["string"]))
    assert np.array_equal(order, np.arange(pulses))


@pytest.mark.parametrize("name", FITS)
def test_published_fits(name: str, events: Path) -> None:
    assert {fit.name for fit in load_alert(events / name).fits} == FITS[name]


def test_every_alert_of_the_folder_is_read(events: Path) -> None:
    read = [load_alert(path) for path in sorted(events.iterdir()) if path.suffix in (".json", ".pkl")]
    assert len(read) >= len(ALERTS)
    assert all(len(alert.pulses) > 100 for alert in read)


@pytest.mark.parametrize("name", ["hese_event_00.json", "hese_event_01.json"])
def test_compressed_pulses_are_the_uncompressed_ones(name: str, events: Path) -> None:
    packet = _packet(events / name)
    whole, compressed = packet.pulses("UncleanedInIcePulses").pulses, packet.pulses("InIceDSTPulses").pulses
    assert np.array_equal(whole["string"], compressed["string"])
    assert np.array_equal(whole["om"], compressed["om"])
    assert np.array_equal(whole["flags"] & 1, compressed["flags"] & 1)
    assert np.abs(whole["time"] - compressed["time"]).max() <= 0.5  # in steps of 1 ns
    assert np.abs(whole["charge"] - compressed["charge"]).max() <= 0.02501  # in steps of 0.05 PE


@pytest.mark.parametrize("name", ["138632_31747601.json", "run00136662-evt000035405932-BRONZE.pkl"])
def test_fits_agree_with_the_message_round_them(name: str, events: Path) -> None:
    published = _message(events / name)["value"]["data"]["reco"]["splinempe"]
    (fit,) = (fit for fit in load_alert(events / name).fits if fit.name.endswith("_SplineMPE"))
    assert fit.zenith == pytest.approx(published["zen"], abs=1e-5)
    assert fit.azimuth == pytest.approx(published["azi"], abs=1e-5)
    assert fit.llh == pytest.approx(published["llh"], abs=1e-5)
