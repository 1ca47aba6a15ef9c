"""Readers of other people. One that is missing skips its tests on a laptop, and fails them in CI."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from skymap_scanner.outputs import product_files
from skymap_scanner.result import ScanResult


@pytest.fixture(scope="session")
def reader() -> Callable[[str], ModuleType]:
    """Import a module of a reader; what it warns of while it is imported is not ours to mend."""
    return _imported


def _imported(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            reason = f"{error.name} is not installed: pip install 'ewms-skymap-scanner[readers]'"
            if os.environ.get("CI") == "true":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def folder(make_scan: Callable[..., ScanResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a scan."""
    written = tmp_path_factory.mktemp("products")
    files = product_files(make_scan(57.3, 17.2, major=1.5, minor=0.8, nsides=((8, 0), (64, 12), (256, 48))), plots=False)
    for name, content in files.items():
        (written / name.removeprefix("run00138632.evt000031747601.")).write_bytes(
            content.encode() if isinstance(content, str) else content
        )
    return written
