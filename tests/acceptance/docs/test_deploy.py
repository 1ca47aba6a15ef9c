"""What lies in `deploy/` fits the program: the configuration is read, and the units call commands that exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ewms.cli.main import cli
from ewms.config_file import read_configuration

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def test_the_configuration_is_read(tmp_path: Path) -> None:
    text = (DEPLOY / "ewms.toml").read_text()
    for name in re.findall(r"file:/etc/ewms/secrets/([\w.]+)", text):
        secret = tmp_path / name
        secret.touch(mode=0o600)
        secret.write_text("nats://host" if name.endswith(".url") else "SEED")
    path = tmp_path / "ewms.toml"
    path.write_text(text.replace("/etc/ewms/secrets", str(tmp_path)))
    configuration = read_configuration(path)
    assert configuration.service.public_url == "https://ewms.example.org"
    assert list(configuration.clusters) == ["pool"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_calls_a_command_that_exists(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=/opt/ewms/bin/ewms (.*)$", unit.read_text(), re.MULTILINE)
    name, *arguments = shlex.split(line)
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    command.make_context(name, arguments, parent=context)  # raises for an option that does not exist


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    program = Path(sys.executable).with_name("ewms")
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/ewms/bin/ewms", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False, timeout=60)
    assert unit.name not in done.stderr, done.stderr


def test_the_tms_can_prove_to_the_schedd_who_it_is() -> None:
    unit = (DEPLOY / "systemd" / "ewms-tms.service").read_text()
    assert "ProtectSystem=strict" in unit  # makes everything read-only
    assert re.search(r"^ReadWritePaths=/tmp$", unit, re.MULTILINE)
    assert "PrivateTmp" not in unit
