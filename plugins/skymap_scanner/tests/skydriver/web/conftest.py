"""Our browser modules without a browser, in the node that Playwright brings along."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skymap_scanner.skydriver.web as web

STATIC = Path(web.__file__).parent / "static"
SECONDS = 120.0


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
