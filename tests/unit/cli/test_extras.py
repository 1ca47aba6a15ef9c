"""A command whose packages are not installed says which extra brings them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("fastapi", "httpx2"), None))
from ewms.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["dev", "--data", "DATA"], "local,service"),
        (["serve", "--config", "CONFIG"], "service"),
        (["web", "--server", "http://127.0.0.1:1"], "client"),
        (["cancel", "WF-00000000-00000000", "--server", "http://127.0.0.1:1"], "client"),
    ],
)
def test_the_extra_is_named_in_one_line(tmp_path: Path, arguments: list[str], extra: str) -> None:
    config = tmp_path / "ewms.toml"
    config.write_text(f'[service]\ndata = "{tmp_path}"\nbroker = "memory://x"\n')
    given = [{"DATA": str(tmp_path / "data"), "CONFIG": str(config)}.get(one, one) for one in arguments]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *given], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"pip install 'ewms[{extra}]'" in done.stderr
