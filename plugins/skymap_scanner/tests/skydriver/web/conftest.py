"""Our browser modules without a browser, and a whole service with reconstructions that wait until a test lets them go on."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

import skymap_scanner.skydriver.web as web
from skymap_scanner.reading import native
from skymap_scanner.simulation.event import simulate
from tests.support.browser import require_chromium
from tests.support.dev_tree import DevTree, dev_tree

STATIC = Path(web.__file__).parent / "static"
SECONDS = 120.0
_POINTS = "[skymap_scanner.recos]\ngated = gated:Gated\nbroken = gated:Broken\n"


@pytest.fixture(scope="session")
def in_node() -> Callable[[str, Any], Any]:
    """What the body of a function of `value` returns; it finds our modules by `load("name.js")`."""
    return run


def run(script: str, value: Any) -> Any:
    found = importlib.util.find_spec("playwright")
    node = None if found is None or found.origin is None else Path(found.origin).parent / "driver" / "node"
    if node is None or not node.exists():
        if os.environ.get("CI"):
            pytest.fail("playwright is not installed, and its node with it")
        pytest.skip("playwright is not installed, and its node with it")
    program = f"""
        const load = (name) => import({json.dumps(STATIC.as_uri())} + "/" + name);
        const chunks = [];
        for await (const chunk of process.stdin) chunks.push(chunk);
        const value = JSON.parse(Buffer.concat(chunks).toString());
        const found = await (async (value) => {{ {script} }})(value);
        process.stdout.write(JSON.stringify(found));
    """
    done = subprocess.run(
        [str(node), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--input-type=module", "--eval", program],
        input=json.dumps(value),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Observatory:
    """`ewms dev` with gates.

    Parameters
    ----------
    gates
        Folder of the gates.
    """

    def __init__(self, tree: DevTree, gates: Path) -> None:
        self.url = tree.url
        self.operator = (tree.folder / "secrets" / "operator.token").read_text().strip()
        self._gates = gates
        self._events = 0

    def open(self, event_id: int, nside: int) -> None:
        """Let a level of an event be reconstructed."""
        (self._gates / f"{event_id}-{nside}").touch()

    def event(self, event_id: int) -> str:
        """A simulated alert as JSON."""
        alert = simulate("track", math.radians(80), math.radians(206), 3e4, 1)
        document = json.loads(native.dumps(alert))
        document["header"]["event_id"] = event_id
        return json.dumps(document)

    def client(self, token: str = "") -> httpx2.Client:
        """A program that speaks to it; to be closed."""
        headers = {"Authorization": f"Bearer {token or self.operator}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=SECONDS)

    def token(self, owner: str) -> str:
        """Of a user."""
        with self.client() as client:
            answer = client.post("/api/tokens", json={"owner": owner})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def post(self, event_id: int, *, token: str = "", **changes: Any) -> str:
        """Ask for a scan as SkyDriver's clients do; its id."""
        body = {
            "docker_tag": "latest",
            "reco_algo": "gated",
            "nsides": {"1": 0, "4": 6},
            "real_or_simulated_event": "sim",
            "max_pixel_reco_time": 300,
            "request_clusters": {"local": 2},
            "event_i3live_json": self.event(event_id),
        }
        with self.client(token) as client:
            answer = client.post("/skydriver/scan", json=body | changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["scan_id"])


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observatory]:
    require_chromium()
    folder = tmp_path_factory.mktemp("observatory")
    code, gates = folder / "code", folder / "code" / "gates"
    gates.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("gated.py"), code)
    described = code / "gated-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: gated\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(_POINTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(code))
        with dev_tree(folder / "data") as tree:
            yield Observatory(tree, gates)
