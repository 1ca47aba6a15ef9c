"""The coverage-guided fuzzer finds nothing in a minute."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skymap_scanner.reading import load_alert_bytes, native

FUZZER = Path(__file__).parents[2] / "fuzz" / "fuzz_reading.py"
SECONDS = 60


@pytest.mark.soak
@pytest.mark.timeout(SECONDS * 4)
def test_nothing_is_found(small_alert: bytes, small_objects: dict[str, bytes], tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        reason = "the fuzzer needs atheris: pip install 'ewms-skymap-scanner[fuzz]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    seeds = [b"\0" + small_alert, *(b"\2" + body for body in small_objects.values())]
    seeds.append(b"\5" + native.dumps(load_alert_bytes(small_alert, "event")))
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
    options = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", "-seed=1"]
    done = subprocess.run(
        [sys.executable, str(FUZZER), str(corpus), *options, f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list(corpus.iterdir())) > 3 * len(seeds), "the fuzzer found no new paths: is the code instrumented?"
