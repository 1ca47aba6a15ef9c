"""A real HTCondor pool on this machine: one for all processes of a test session, and nothing left of it behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

SCRIPT = Path(__file__).with_name("condor-pool.sh")
SITE = "TEST-SITE"
"""Where the pool's slots say they are."""
_CONFIGURATION = f"""
GLIDEIN_Site = "{SITE}"
STARTD_ATTRS = $(STARTD_ATTRS) GLIDEIN_Site
STARTER_JOB_ENVIRONMENT = "PATH=/usr/bin:/bin:$(LIBEXEC)"
JOB_DEFAULT_LEASE_DURATION = 20
CONCURRENCY_LIMIT_DEFAULT = 100
"""
_MINUTES = "45"
"""After which a pool ends whose session was killed."""
_INSTALL_SECONDS = 300.0
_CALL_SECONDS = 120.0


class CondorPool:
    """A pool in a folder.

    Parameters
    ----------
    folder
        Of its configuration, logs and queue; its name must be short, because sockets lie below it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "pool" / "condor_config"

    def start(self) -> None:
        """Start it, or find it running; `CondorMissing` with the reason where that cannot be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "extra.conf").write_text(_CONFIGURATION)
        done = self._run("start", within=_INSTALL_SECONDS)
        if done.returncode:
            raise CondorMissing((done.stderr or done.stdout).strip().splitlines()[-1])

    def stop(self) -> None:
        """Stop daemons and jobs; the queue stays on disk."""
        self._run("stop")

    def clean(self) -> None:
        """Stop it and delete what it has written."""
        self._run("clean")

    def restart(self) -> None:
        """Stop and start it; the queue survives."""
        self.stop()
        self.start()

    @contextmanager
    def used(self, *, alone: bool = False) -> Iterator[None]:
        """Use it inside the context: together with other tests, or alone, to take the schedd from it."""
        with (self.folder / "use.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    def tool(self, name: str, *arguments: str) -> str:
        """Run a program of HTCondor, as a person would; what it printed."""
        prefix = self.config.read_text().split("RELEASE_DIR = ", 1)[1].splitlines()[0]
        environment = {**os.environ, "CONDOR_CONFIG": str(self.config)}
        done = subprocess.run(
            [f"{prefix}/bin/{name}", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_CALL_SECONDS,
        )
        return done.stdout

    def _run(self, command: str, within: float = _CALL_SECONDS) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "CONDOR_POOL_DIR": str(self.folder / "pool"),
            "CONDOR_EXTRA": str(self.folder / "extra.conf"),
            "CONDOR_MINUTES": _MINUTES,
        }
        return subprocess.run(
            ["bash", str(SCRIPT), command], env=environment, capture_output=True, text=True, check=False, timeout=within
        )


class CondorMissing(Exception):
    """No pool can be started here."""


@contextmanager
def shared_pool(folder: Path) -> Iterator[CondorPool]:
    """The pool of a test session: the first process to come starts it, the last to go ends it.

    Locks tell who is there, because they go with a process, however it ends.

    Parameters
    ----------
    folder
        The same for all processes of the session.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pool = CondorPool(folder)
    with (folder / "door.lock").open("w") as door, (folder / "users.lock").open("w") as users:
        with _locked(door):
            fcntl.flock(users, fcntl.LOCK_SH)
            pool.start()
        try:
            yield pool
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            with _locked(door):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    pool.clean()


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def condor_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CondorPool]:
    """A running pool; a test that kills parts of it leaves it running."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with contextlib.ExitStack() as stack:
        try:
            pool = stack.enter_context(shared_pool(shared / "condor"))
        except CondorMissing as error:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"there is no HTCondor pool: {error}")
        # The bindings read it once in the life of a process.
        os.environ["CONDOR_CONFIG"] = str(pool.config)
        yield pool
