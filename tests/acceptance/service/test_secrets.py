"""No secret of a service shows while a workflow runs through all of it, nor in what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.dev_tree import DevTree, wait_until
from tests.support.secret_hunt import SecretHunt

SPEC = """
name = "squares"

[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
retry = {max_failures = 1}
"""
WORK = """
import os
import sys
import time

def square(number):
    time.sleep(0.05)
    if number == 13:
        print(dict(os.environ), file=sys.stderr)
        raise ValueError(f"unlucky: {dict(os.environ)}")
    return number * number
"""
KEPT = (
    "secrets/*",
    "broker/keys.json",
    "broker/*.url",
    "broker/*.seed",
    "broker/server.json",
    "tms/*/pilot*.json",
    "tms/*/.pilot*.draft",
)
"""Where secrets are meant to be, for their owner alone."""


def secrets_of(folder: Path) -> dict[str, str]:
    """What the service has, by where it keeps it; of a URL the password alone."""
    found = {path.name: path.read_text().strip() for path in (folder / "secrets").iterdir() if path.is_file()}
    found |= {f"{name} seed": seed for name, seed in json.loads((folder / "broker" / "keys.json").read_text()).items()}
    for name in ("service", "system"):
        found[f"{name} login"] = _password((folder / "broker" / f"{name}.url").read_text())
    return {name: secret for name, secret in found.items() if "\n" not in secret}


def _password(url: str) -> str:
    password = urlsplit(url).password
    assert password is not None
    return password


def pilot_secrets(folder: Path) -> dict[str, str]:
    """What pilots log in with, as far as there are any."""
    found: dict[str, str] = {}
    for path in folder.glob("tms/**/pilot*.json"):
        with contextlib.suppress(OSError, json.JSONDecodeError):  # gone, or being written
            found["a pilot's login"] = _password(json.loads(path.read_text())["broker_url"])
    return found


def test_no_secret_shows(tmp_path: Path) -> None:
    work = tmp_path / "squares"
    work.mkdir()
    work.joinpath("workflow.toml").write_text(SPEC)
    work.joinpath("work.py").write_text(WORK)
    work.joinpath("numbers.jsonl").write_text("".join(f"{number}\n" for number in range(40)))
    folder = tmp_path / "site" / "data"
    folder.parent.mkdir()
    tree = DevTree(folder)
    tree.start()
    try:
        hunt = SecretHunt(secrets_of(folder))
        with hunt.watching_processes():
            submitted = _ewms(tree, work, "submit", "workflow.toml", "--input", "numbers.jsonl")
            pilots: dict[str, str] = {}

            def has_pilots() -> bool:
                pilots.update(pilot_secrets(folder))
                return bool(pilots)

            wait_until(has_pilots, "pilots")
            late = SecretHunt(pilots)
            with late.watching_processes():
                waited = _ewms(tree, work, "outcomes", _workflow_id(submitted), "--follow")
        said = waited.encode() + submitted.encode()
    finally:
        tree.stop()
    everything = SecretHunt(hunt.secrets | late.secrets)
    assert hunt.in_processes() == late.in_processes() == []
    assert everything.in_data("what commands said", said) == []
    assert everything.in_files(folder.parent, kept=[f"data/{pattern}" for pattern in KEPT]) == []


def _workflow_id(text: str) -> str:
    return next(word.strip(".,:") for word in text.split() if word.startswith("WF-"))


def _ewms(tree: DevTree, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ewms", *arguments],
        cwd=folder,
        env={**os.environ, **tree.environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode in {0, 3}, done.stdout + done.stderr + tree.logs()
    return done.stdout + done.stderr
