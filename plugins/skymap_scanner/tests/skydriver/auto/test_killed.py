"""The whole on this machine: alerts become published maps, also when the service is killed between the two."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.support.dev_tree import DevTree, dev_tree, wait_until

pytestmark = pytest.mark.timeout(600)
DEADLINE = 180.0
LOOK = 0.05
PAUSES = (0.0, 0.03, 0.1)
"""Seconds between an alert and the death of the service."""
MORE = """
[plugins.skydriver]
policy = "{folder}/policy.toml"
watch = "{folder}/inbox"
partial_every = 1.0
"""
POLICY = """
[targets.shift]
folder = "{folder}/shift"
[[rules]]
name = "slow"
when = {{ type = "gold" }}
scans = [{{ reco = "mpe", nsides = "4:0,8:12" }}]
publish = ["shift"]
[[rules]]
name = "quick"
scans = [{{ reco = "mpe", nsides = "1:0" }}]
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTree]:
    folder = tmp_path_factory.mktemp("dev")
    for name in ("data", "inbox", "shift"):
        (folder / name).mkdir()
    (folder / "policy.toml").write_text(POLICY.format(folder=folder))
    (folder / "data" / "more.toml").write_text(MORE.format(folder=folder))
    with dev_tree(folder / "data") as tree:
        yield tree


@pytest.fixture
def http(tree: DevTree) -> Iterator[httpx2.Client]:
    token = (tree.folder / "secrets" / "operator.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{tree.url}/skydriver/", headers=headers, timeout=30.0) as client:
        yield client


def test_a_file_in_the_folder_becomes_a_published_map(
    tree: DevTree, http: httpx2.Client, event_bytes: Callable[..., bytes]
) -> None:
    folder = tree.folder.parent
    (folder / "draft").write_bytes(event_bytes())
    (folder / "draft").rename(folder / "inbox" / "alert.json")
    wait_until(lambda: list((folder / "shift").rglob("final/published.json")) != [], "the map", DEADLINE)
    final = next((folder / "shift").rglob("final/published.json"))
    told = json.loads(final.read_text())
    names = {file["name"] for file in told["files"]}
    assert told["state"] == "complete"
    assert "best_fit.json" in names
    assert any(name.endswith(".notice.json") for name in names)
    assert any(name.endswith(".multiorder.fits") for name in names)
    partial = json.loads((final.parents[1] / "partial" / "published.json").read_text())
    assert {file["name"] for file in partial["files"]} >= {"partial.json", "overview.json"}
    assert (folder / "inbox" / "done" / "alert.json").exists()


def test_the_service_killed_while_alerts_come_loses_none_and_scans_none_twice(
    tree: DevTree, http: httpx2.Client, event_bytes: Callable[..., bytes]
) -> None:
    """Every alert is sent until it is acknowledged, while the service dies at it; each ends in one scan."""
    for number, pause in enumerate(PAUSES):
        sender = threading.Thread(target=_send, args=(http, event_bytes(100 + number, event_type="test")))
        sender.start()
        time.sleep(pause)
        tree.kill("serve")
        sender.join(DEADLINE)
        assert not sender.is_alive(), "the alert was never acknowledged"

    def started() -> list[dict[str, Any]]:
        with contextlib.suppress(httpx2.HTTPError):
            found = http.get("alerts", params={"state": "started", "limit": 100}).json()["items"]
            return [alert for alert in found if alert["rule"] == "quick"]
        return []

    wait_until(lambda: len(started()) == len(PAUSES), "all scans", DEADLINE)
    scans = [scan["scan_id"] for alert in started() for scan in alert["scans"]]
    found = http.post("scans/find", json={"filter": {"classifiers.rule": "quick"}}).json()["manifests"]
    assert sorted(manifest["scan_id"] for manifest in found) == sorted(scans)
    assert len(scans) == len(PAUSES)
    workflows = {manifest["ewms_workflow_id"] for manifest in found}
    all_of_them = http.get(f"{tree.url}/api/workflows", params={"limit": 100}).json()["items"]
    labelled = [item["workflow_id"] for item in all_of_them if item["labels"].get("scan_id") in scans]
    assert sorted(labelled) == sorted(workflows)
    wait_until(lambda: _are_final(http, scans), "the end of all scans", DEADLINE)


def _send(http: httpx2.Client, body: bytes) -> None:
    code = 0
    while code != 202:
        try:
            code = http.post("alerts", content=body).status_code
        except httpx2.HTTPError:
            time.sleep(LOOK)


def _are_final(http: httpx2.Client, scans: list[str]) -> bool:
    return all(http.get(f"scan/{scan_id}/status").json()["scan_state"] == "SCAN_HAS_FINAL_RESULT" for scan_id in scans)
