"""`ewms drive`: drives the service's workflows."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from ewms.config_file import read_configuration
from ewms.core.errors import InputError
from ewms.core.service.log_lines import JsonLines
from ewms.drive.serving import serve_as_process
from ewms.drive.settings import HostSettings

_FOLDER = "drive"


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    envvar="EWMS_CONFIG",
    help="The service's ewms.toml.",
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Data folder instead of the file's."
)
@click.option("--name", metavar="NAME", help="What this host is called; the machine's name if left out.")
@click.option(
    "--max-workflows",
    type=click.IntRange(min=1),
    metavar="N",
    default=1000,
    show_default=True,
    help="Driven at once, at most.",
)
def drive(config: Path, data: Path | None, name: str | None, max_workflows: int) -> None:
    """Drive workflows of the service until interrupted; run as many of these, on as many machines, as you like.

    A host that dies is replaced by another within a lease; one that is interrupted gives its workflows away at once.
    """
    settings = settings_from(config, data, name, max_workflows)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    serve_as_process(settings)


def settings_from(config: Path, data: Path | None, name: str | None, max_workflows: int) -> HostSettings:
    """A host's settings from the service's configuration; `InputError` where it names no broker."""
    configuration = read_configuration(config, data=data)
    service = configuration.service
    if service.broker is None:
        raise InputError(
            f"{config} names no broker; write broker = under [service], or use `ewms dev`, which brings its own"
        )
    document = {
        "store": service.store_url,
        "broker": service.broker.get_secret_value(),
        "files": service.files_url,
        "blobs": configuration.blobs_url,
        "folder": service.data / _FOLDER,
        "lease": service.lease,
        "preload": service.preload,
        "max_workflows": max_workflows,
    }
    return HostSettings.model_validate(document | ({"name": name} if name else {}))
