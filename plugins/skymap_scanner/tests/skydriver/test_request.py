"""What `POST /scan` takes, by SkyDriver's names and ours, and what it refuses in one line."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.request import ScanRequest
from skymap_scanner.skydriver.sizes import parse_data_size

BODY: dict[str, Any] = {
    "docker_tag": "v4.1.2",
    "reco_algo": "mpe",
    "event_i3live_json": {"value": 1},
    "nsides": {"8": 0, "64": 12},
    "real_or_simulated_event": "real",
    "max_pixel_reco_time": 60,
    "request_clusters": {"here": 2},
}


def order(**changes: Any) -> ScanOrder:
    body = {key: value for key, value in {**BODY, **changes}.items() if value is not None}
    return ScanRequest.model_validate(body).order()


@pytest.mark.parametrize("kind", ["real", "real_event", "sim", "simulated", "simulated_event"])
def test_an_event_is_real_or_simulated(kind: str) -> None:
    assert order(real_or_simulated_event=kind).is_real is kind.startswith("real")


@pytest.mark.parametrize(
    ("key", "alias", "value", "field", "meant"),
    [
        ("worker_memory_bytes", "worker_memory", "8GB", "worker_memory", 8_000_000_000),
        ("worker_disk_bytes", "worker_disk", 1 << 30, "worker_disk", 1 << 30),
        ("scanner_server_memory_bytes", "scanner_server_memory", "1024M", "scanner_server_memory", 1_024_000_000),
    ],
)
def test_old_names_mean_the_same(key: str, alias: str, value: object, field: str, meant: int) -> None:
    assert getattr(order(**{key: value}), field) == getattr(order(**{alias: value}), field) == meant
    with pytest.raises(ValidationError, match="are the same; give one of them"):
        order(**{key: value, alias: value})


def test_defect_a_cluster_listed_twice_was_refused() -> None:
    """SkyDriver documents it, and WMS's uniqueness rule refused it; each cluster has its own number of workers."""
    assert order(request_clusters=[["a", 3], ["b", 5], ["a", 4]]).clusters == {"a": 7, "b": 5}
    assert order(request_clusters=None, cluster={"a": 3, "b": 5}).clusters == {"a": 3, "b": 5}


def test_levels_are_sorted_and_debug_logs_are_brought_back() -> None:
    found = order(nsides={"512": 24, "8": 0, "64": 12}, debug_mode="client-logs")
    assert found.nsides == "8:0,64:12,512:24"
    assert found.table == {"8": 0, "64": 12, "512": 24}
    assert found.return_output
    assert order(debug_mode=["client-logs"]).return_output
    assert not order(debug_mode=[]).return_output


def test_what_has_no_meaning_here_is_told_and_secrets_are_forgotten() -> None:
    found = order(scanner_server_memory="2GB", scanner_server_env={"TOKEN": "s3cr3t"}, priority=-5)
    told = "\n".join(found.not_applicable)
    for words in ("docker_tag v4.1.2", "scanner_server_memory_bytes", "TOKEN", "priority -5"):
        assert words in told
    assert "s3cr3t" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory": "8GB"}, "use worker_memory_bytes"),
        ({"docker_tag": " "}, "docker_tag"),
        ({"docker_tag": None}, "docker_tag"),
        ({"reco_algo": ""}, "reco_algo"),
        ({"nsides": {}}, "nsides"),
        ({"nsides": {"8": "0"}}, "no nside and its extension"),
        ({"nsides": {"8": True}}, "no nside and its extension"),
        ({"nsides": {"x": 0}}, "no nside and its extension"),
        ({"nsides": {"9": 0}}, "power of two"),
        ({"nsides": {"8": 12}}, "first level is scanned whole"),
        ({"nsides": [1]}, "nsides"),
        ({"real_or_simulated_event": "maybe"}, "real_or_simulated_event"),
        ({"max_pixel_reco_time": 0}, "max_pixel_reco_time"),
        ({"max_pixel_reco_time": True}, "no whole number"),
        ({"max_pixel_reco_time": "60"}, "no whole number"),
        ({"request_clusters": None}, "request_clusters is missing"),
        ({"request_clusters": {}}, "at least one cluster"),
        ({"request_clusters": {"a": 0}}, "0 workers"),
        ({"request_clusters": {"a": True}}, "True workers"),
        ({"request_clusters": {"": 1}}, "no name of a cluster"),
        ({"request_clusters": [["a"]]}, "write {cluster: workers}"),
        ({"request_clusters": "a"}, "write {cluster: workers}"),
        ({"request_clusters": {"a": 1}, "cluster": {"a": 1}}, "are the same"),
        ({"event_i3live_json": None}, "exactly one of"),
        ({"i3_event_id": "abc"}, "exactly one of"),
        ({"predictive_scanning_threshold": 0.05}, "predictive_scanning_threshold"),
        ({"predictive_scanning_threshold": 1.5}, "predictive_scanning_threshold"),
        ({"debug_mode": "server-logs"}, "debug_mode"),
        ({"classifiers": {str(number): 1 for number in range(26)}}, "at most 25"),
        ({"classifiers": {"a" * 26: 1}}, "1 to 25 characters"),
        ({"classifiers": {"": 1}}, "1 to 25 characters"),
        ({"classifiers": {"a": "b" * 26}}, "1 to 25 characters"),
        ({"classifiers": {"a": [1]}}, "classifiers"),
        ({"classifiers": {"rescan": True}}, "reserved"),
        ({"classifiers": {"origin_scan_id": "1"}}, "reserved"),
        ({"classifiers": None, "priority": 1.5}, "priority"),
        ({"scanner_server_env": {str(number): 1 for number in range(26)}}, "at most 25"),
        ({"worker_memory": "much"}, "is not a size"),
        ({"worker_memory": "1e9GB"}, "is not a size"),
        ({"worker_memory": "99999999GB"}, "is not a size"),
        ({"worker_memory": -1}, "worker_memory"),
        ({"manifest_projection": "scan_id"}, "manifest_projection"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        order(**changes)
    assert words in str(caught.value)


def test_twenty_five_classifiers_of_every_kind_are_taken() -> None:
    kept = {f"{number}": value for number, value in enumerate([None, True, 1, 2.5, "x" * 25] * 5)}
    assert order(classifiers=kept).classifiers == kept


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1GB", 10**9),
        ("1 gb", 10**9),
        ("8G", 8 * 10**9),
        ("1024M", 1_024_000_000),
        ("2GiB", 2 << 30),
        ("1.5 KiB", 1536),
        ("3 megabytes", 3_000_000),
        ("1 byte", 1),
        ("17", 17),
        (5, 5),
    ],
)
def test_sizes(text: object, meant: int) -> None:
    assert parse_data_size(text) == meant


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything)
def test_whatever_is_sent_is_taken_or_refused_in_words(value: object) -> None:
    for key in (*BODY, "cluster", "worker_memory", "classifiers", "priority", "scanner_server_env", "debug_mode"):
        with contextlib.suppress(ValidationError):
            taken = ScanRequest.model_validate({**BODY, key: value}).order()
            json.dumps(taken.model_dump(mode="json"))
