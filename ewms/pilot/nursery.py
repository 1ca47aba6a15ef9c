"""`python -m ewms.pilot.nursery APPLICATION…`: forks pilots that have loaded what installed applications run on them.

Starting Python and loading a reconstruction takes seconds of a processor; a fork takes milliseconds and shares the memory.
Asked over its standard input, a socket: a `Birth` a line, answered by a `Born` a line. It ends with whoever asks; its pilots
go on. Nothing of a workflow is ever loaded here, only in the forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from typing import Any

import msgspec

from ewms.pilot import processes
from ewms.pilot.__main__ import main as be_pilot
from ewms.pilot.nameplate import NoRoom, rename
from ewms.pilot.nursery_words import READY, Birth, Born
from ewms.pilot.spare import Spare
from ewms.pilot.worker import main as worker
from ewms.pilot.worker.importing import find
from ewms.pilot.worker.progress import Progress, shared_memory

_GROUP = "ewms.applications"
_PILOT = (sys.executable, "-m", "ewms.pilot")
_WORKER = (sys.executable, "-m", "ewms.pilot.worker.main")


def load(names: Iterable[str]) -> None:
    """Load what pilots run for installed applications, and have it prepare; what cannot be loaded is left to them."""
    for name in names:
        try:
            (entry,) = importlib.metadata.entry_points(group=_GROUP, name=name)
            for reference in _consumers(entry.load()):
                prepare = getattr(find(reference, ()), "prepare", None)
                if prepare is not None:
                    prepare()
        except Exception:  # noqa: BLE001  anybody's code; a pilot tells what is wrong with it
            traceback.print_exc()


def _consumers(application: Any) -> list[str]:
    tasks = [task.python for task in application.tasks if task.python]
    return [*tasks, application.consumer] if isinstance(application.consumer, str) and application.consumer else tasks


def serve(channel: socket.socket, variable: str) -> None:
    """Fork pilots until nobody asks any more."""
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()  # so that pilots share these pages for ever
    channel.sendall(READY)
    with channel.makefile("rb") as lines:
        for line in lines:
            birth = msgspec.json.decode(line, type=Birth)
            pid = os.fork()
            if not pid:
                os.close(channel.detach())
                _live(birth)
            channel.sendall(msgspec.json.encode(Born(pid)) + b"\n")


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(birth: Birth) -> None:
    """Be a pilot, and end."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        with open(os.devnull, "rb") as nothing, open(birth.log, "ab", opener=_private) as log:
            for ours, theirs in ((0, nothing), (1, log), (2, log)):
                os.dup2(theirs.fileno(), ours)
        _sow()
        # Its worker first: a TMS that finds them meanwhile takes neither for a pilot of its own, and ends both.
        spare = _fork_worker(birth)
        rename((*_PILOT, birth.config), birth.variable, birth.mark)
        code = be_pilot([birth.config], spare)
    except BaseException:  # noqa: BLE001  what comes after this must not run twice
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fork_worker(birth: Birth) -> Spare:
    """A worker with its output in pipes, like one that a pilot starts."""
    ours, theirs = socket.socketpair()
    memory = shared_memory()
    (stdout, stdout_end), (stderr, stderr_end) = os.pipe(), os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.setsid()
            if processes.die_with_parent(parent, signal.SIGKILL):
                os.dup2(stdout_end, 1)
                os.dup2(stderr_end, 2)
                for each in (stdout, stdout_end, stderr, stderr_end, ours.detach()):
                    os.close(each)
                rename(_WORKER, birth.variable, birth.mark)
                _work(theirs, memory)
                code = 0
        finally:
            os._exit(code)
    theirs.close()
    os.close(stdout_end)
    os.close(stderr_end)
    return Spare(pid, ours, memory, os.fdopen(stdout, "rb", 0), os.fdopen(stderr, "rb", 0))


def _work(channel: socket.socket, memory: int) -> None:
    _sow()
    environment = processes.task_environment(processes.IN_A_WORKER)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
    worker.serve(channel, Progress(memory))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sow() -> None:
    """Random numbers of its own, where a library took its seed before the fork; Python itself does so."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def main() -> None:
    """Serve on standard input."""
    _, variable, *names, _ = sys.argv
    channel = socket.socket(fileno=os.dup(0))
    try:
        rename(sys.orig_argv, variable, os.environ[variable])
    except NoRoom as error:
        sys.exit(f"pilots are not forked: {error}")
    load(names)
    serve(channel, variable)


if __name__ == "__main__":
    main()
