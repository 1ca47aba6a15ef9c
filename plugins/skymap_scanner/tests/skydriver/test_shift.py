"""A realtime shift: `ewms dev` is up, and alerts come by plain HTTP, as SkyDriver's clients send them."""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import httpx2
import pytest

from ewms.tms.backends._pilot_process import is_pilot
from ewms.tms.backends.local import mark_of
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.reap import marked
from skymap_scanner.outputs import read_result
from skymap_scanner.reading import native
from skymap_scanner.simulation import simulate
from tests.support.dev_tree import DEADLINE, DevTree, dev_tree, wait_until

ALERT = Path(__file__).parents[4] / ".." / "shared" / "events" / "138632_31747601.json"
WAITING = "IN_PROGRESS__WAITING_ON_FIRST_PIXEL_RECO"
PARTIAL = "IN_PROGRESS__PARTIAL_RESULT_GENERATED"
FINAL = "SCAN_HAS_FINAL_RESULT"
ORDER = ("PENDING__PRESTARTUP", "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP", WAITING, PARTIAL, FINAL)
SMALL = {"1": 0, "2": 3}
DEFAULT = {"8": 0, "64": 12, "512": 24}
PATIENCE = 2 * DEADLINE
LOOK = 0.05
"""Seconds between two looks: what asks without end takes the time of what it waits for."""


class Ended(NamedTuple):
    """A scan that has its final result, and how it came there."""

    states: list[str]
    """Codes, each once, in the order in which they were seen."""
    before: dict[str, Any]
    """A result that was not final."""
    result: dict[str, Any]
    """The final one."""
    product: dict[str, str]
    """Digests of the files of the product, by name."""
    workflow_id: str
    """Its workflow."""


class Client:
    """Of SkyDriver, and of the service below it where SkyDriver has no word for something."""

    def __init__(self, tree: DevTree) -> None:
        token = Path(tree.environment["EWMS_TOKEN_FILE"]).read_text().strip()
        # It speaks no TLS, and reading all the certificates of this machine takes long.
        self.http = httpx2.Client(
            base_url=tree.url, headers={"Authorization": f"Bearer {token}"}, timeout=60, verify=False, trust_env=False
        )

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """What it answers; a service that is being killed is asked again."""
        end = time.monotonic() + DEADLINE
        while True:
            with contextlib.suppress(httpx2.TransportError):
                answer = self.http.request(method, path, **how)
                assert answer.is_success, f"{path} answers {answer.status_code}: {answer.text}"
                return answer.json()
            assert time.monotonic() < end, f"{path} does not answer"

    def post(self, event: bytes, nsides: Mapping[str, int] = SMALL, priority: int = 0, kind: str = "simulated") -> str:
        """Ask for a scan; its id."""
        body = {
            "docker_tag": "latest",
            "reco_algo": "mpe",
            "event_i3live_json": json.loads(event),
            "nsides": nsides,
            "real_or_simulated_event": kind,
            "max_pixel_reco_time": 600,
            "request_clusters": {"local": 2},
            "priority": priority,
        }
        scan_id: str = self.ask("POST", "/skydriver/scan", json=body)["scan_id"]
        return scan_id

    def state(self, scan_id: str) -> str:
        state: str = self.ask("GET", f"/skydriver/scan/{scan_id}/status")["scan_state"]
        return state

    def result(self, scan_id: str) -> dict[str, Any]:
        result: dict[str, Any] = self.ask("GET", f"/skydriver/scan/{scan_id}/result")
        return result

    def workflow(self, scan_id: str) -> str:
        workflow_id: str = self.ask("GET", f"/skydriver/scan/{scan_id}/ewms/workflow-id")["workflow_id"]
        return workflow_id

    def watch(self, scan_id: str, on_partial: Callable[[str], object] = lambda workflow_id: None) -> Ended:
        """Look at a scan again and again, as clients do, until it has its final result."""
        workflow_id = self.workflow(scan_id)
        states: list[str] = []
        before: dict[str, Any] = {}
        end = time.monotonic() + PATIENCE
        while not states or states[-1] != FINAL:
            state = self.state(scan_id)
            if state not in states[-1:]:
                states.append(state)
            if state == PARTIAL and not before:
                found = self.result(scan_id)
                if not found["is_final"]:
                    before = found
                    on_partial(workflow_id)
            assert time.monotonic() < end, f"waited {PATIENCE} s in vain for {FINAL}: {states}"
            time.sleep(LOOK)
        return Ended(states, before, self.result(scan_id), self.product(workflow_id), workflow_id)

    def product(self, workflow_id: str) -> dict[str, str]:
        """Digests by name."""
        files = self.ask("GET", f"/api/workflows/{workflow_id}/files", params={"limit": 100})["items"]
        return {file["name"]: file["sha256"] for file in files if file["name"].startswith("product/")}

    def file(self, workflow_id: str, name: str) -> bytes:
        answer = self.http.get(f"/api/workflows/{workflow_id}/files/{name}")
        assert answer.is_success, answer.text
        return answer.content


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTree]:
    """`ewms dev` with two workers, ready to begin at once."""
    with dev_tree(tmp_path_factory.mktemp("shift") / "data", preload=True) as tree:
        yield tree


@pytest.fixture(scope="module")
def client(tree: DevTree) -> Iterator[Client]:
    client = Client(tree)
    with client.http:
        yield client


@pytest.fixture(scope="module")
def event() -> bytes:
    """A simulated one."""
    return native.dumps(simulate("track", math.radians(100), math.radians(200), 2e5, 5))


@pytest.fixture(scope="module")
def scan(client: Client, event: bytes) -> Ended:
    """The scan of that, undisturbed."""
    return client.watch(client.post(event, DEFAULT))


def reader(name: str) -> ModuleType:
    """A module of other people's; what it warns of while it is imported is not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            reason = f"{error.name} is not installed: pip install 'ewms-skymap-scanner[readers]'"
            if os.environ.get("CI") == "true":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


def check(ended: Ended, tmp_path: Path) -> None:
    """What holds for every scan that anybody watched."""
    places = [ORDER.index(state) for state in ended.states]
    assert places == sorted(places), ended.states
    assert ended.states[-2:] == [PARTIAL, FINAL]
    for result, is_final in ((ended.before, False), (ended.result, True)):
        assert result["is_final"] is is_final
        path = tmp_path / "result.json"
        path.write_text(json.dumps(result["skyscan_result"]))
        read = read_result(path)
        assert read.complete is is_final
        assert sum(map(len, read.levels.values())) > 0
    pixels = [sum(len(level["data"]) for level in each["skyscan_result"].values()) for each in (ended.before, ended.result)]
    assert pixels[0] < pixels[1]


def test_an_alert_becomes_a_map_that_is_partial_first(scan: Ended, tmp_path: Path) -> None:
    check(scan, tmp_path)
    assert set(scan.result["skyscan_result"]) == {"nside-8", "nside-64", "nside-512"}


def test_a_real_alert_does_so_too(client: Client, tmp_path: Path) -> None:
    if not ALERT.exists():
        pytest.skip(f"{ALERT.name} is not beside this checkout")
    ended = client.watch(client.post(ALERT.read_bytes(), DEFAULT, priority=200, kind="real"))
    check(ended, tmp_path)
    best = json.loads(client.file(ended.workflow_id, "product/best_fit.json"))
    assert (best["run_id"], best["event_id"], best["is_real_event"]) == (138632, 31747601, True)


def test_icecubes_own_reader_reads_the_result(scan: Ended, tmp_path: Path) -> None:
    skyreader = reader("skyreader")
    path = tmp_path / "result.json"
    path.write_text(json.dumps(scan.result["skyscan_result"]))
    found = skyreader.SkyScanResult.read_json(path)
    assert found.nsides == [8, 64, 512]


def test_astronomers_read_the_regions(client: Client, scan: Ended, tmp_path: Path) -> None:
    mocpy = reader("mocpy")
    regions = [name for name in scan.product if ".moc_90" in name]
    assert regions
    for name in regions:
        path = tmp_path / "region.fits"
        path.write_bytes(client.file(scan.workflow_id, name))
        region = mocpy.MOC.load(path, format="fits")
        assert 0.0 < region.sky_fraction < 0.5


def test_driver_host_and_pilot_die_in_the_middle_and_nothing_is_another(
    tree: DevTree, client: Client, event: bytes, scan: Ended, tmp_path: Path
) -> None:
    killed: list[str] = []

    def kill(workflow_id: str) -> None:
        mark = f"{mark_of(ClusterFolder(tree.folder / 'tms' / 'local'))}/TF-{workflow_id.removeprefix('WF-')}"
        pilots = [pid for pid, rest in _below(mark) if is_pilot(pid)]
        assert pilots, "the scan has no pilot"
        os.kill(pilots[0], signal.SIGKILL)
        tree.kill("drive")
        killed.append(workflow_id)

    ended = client.watch(client.post(event, DEFAULT), kill)
    assert killed == [ended.workflow_id]
    assert ended.workflow_id != scan.workflow_id
    check(ended, tmp_path)
    assert ended.result["skyscan_result"] == scan.result["skyscan_result"]
    assert ended.product == scan.product


def _below(mark: str) -> list[tuple[int, str]]:
    """Processes of a workflow's taskforces, whose marks begin with this."""
    cluster, _, first = mark.partition("/")
    return [(pid, rest) for pid, rest in marked(cluster) if rest.startswith(f"/{first}")]


@pytest.mark.parametrize(("scans", "urgent_ones"), [(6, 2), pytest.param(20, 4, marks=pytest.mark.soak)])
def test_of_many_at_once_the_urgent_ones_are_first(tree: DevTree, client: Client, scans: int, urgent_ones: int) -> None:
    events = [native.dumps(simulate("track", 1.0 + 0.05 * number, 0.3 * number, 1e5, number + 1)) for number in range(scans)]
    tms = tree.pid_of("tms")
    os.kill(tms, signal.SIGSTOP)  # so that all of them are there before any begins, however slow this machine is
    try:
        others = [client.post(event) for event in events[urgent_ones:]]
        urgent = [client.post(event, priority=100 + number) for number, event in enumerate(events[:urgent_ones])]
    finally:
        os.kill(tms, signal.SIGCONT)
    workflows = {client.workflow(scan_id): scan_id for scan_id in (*urgent, *others)}

    def all_done() -> bool:
        time.sleep(LOOK)
        listed = client.ask("GET", "/api/workflows", params={"state": "complete", "limit": 100})["items"]
        return workflows.keys() <= {item["workflow_id"] for item in listed}

    wait_until(all_done, f"{scans} final results", 2 * PATIENCE)
    assert all(client.state(scan_id) == FINAL for scan_id in workflows.values())
    done = {scan_id: _ended_at(client, workflow_id) for workflow_id, scan_id in workflows.items()}
    last_urgent = max(done[scan_id] for scan_id in urgent)
    # The last urgent ones may leave one of the two workers to somebody else.
    assert sum(done[scan_id] < last_urgent for scan_id in others) <= 2, done


def _ended_at(client: Client, workflow_id: str) -> float:
    phases = client.ask("GET", f"/api/workflows/{workflow_id}/phases")["items"]
    return max(float(phase["timestamp"]) for phase in phases if phase["state"] == "complete")
